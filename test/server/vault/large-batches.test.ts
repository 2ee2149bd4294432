import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseBatch } from '../../../server/vault/parse-batch.ts';
import { randomText } from '../../parts/users/without-keys/quick-account.ts';
import { openTestDatabase } from '../../parts/storage/relay-database.ts';
import { makeAccount, newId, write } from '../../parts/users/without-keys/vault-device.ts';

/* The longest items: what each takes of the event loop is a turn of its own, so that other callers come in between. */

const longest = 16 * 1024 * 1024;

let turns: number;
let ticking: NodeJS.Immediate;
beforeEach(() => {
  turns = 0;
  const tick = () => {
    turns += 1;
    ticking = setImmediate(tick);
  };
  ticking = setImmediate(tick);
});
afterEach(() => clearImmediate(ticking));

const batchOf = (body: string) => ({
  format: 1 as const,
  expectedHead: 'A'.repeat(43),
  head: { counter: 1, body: 'AAAA' },
  items: [write(newId(), 1, { body })],
  prune: [],
  finishTurns: [],
});

describe('a batch with the longest item', () => {
  test('is hashed beside the event loop', async () => {
    const batch = batchOf(randomText(longest));
    const before = turns;
    const { items } = await parseBatch(batch);
    expect(turns).toBeGreaterThan(before);
    const [item] = items;
    const right = createHash('sha256')
      .update(item?.body ?? '')
      .digest();
    expect(Buffer.from(item?.bodyHash ?? [])).toEqual(right);
  });

  test('a short one is parsed at once', async () => {
    const before = turns;
    await parseBatch(batchOf(randomText(1_000)));
    expect(turns).toBe(before);
  });
});

test('four of the longest items that are stored at once take a turn each', async () => {
  const database = await openTestDatabase('sqlite');
  const accounts = await Promise.all([1, 2, 3, 4].map(() => makeAccount(database)));
  const body = Buffer.from(randomText(longest), 'base64url');
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.length);
  const writtenIn: number[] = [];
  const store = (accountId: string) =>
    database.write(async (trx) => {
      const rest = { version: 1, expires_at: 0, flags: 0, counter: 1, stored_at: 1, turn_id: null };
      const row = { account_id: accountId, id: new Uint8Array(16), ...rest, length: body.length };
      await trx
        .insertInto('items')
        .values({ ...row, body_hash: new Uint8Array(32), body: bytes })
        .execute();
      writtenIn.push(turns);
    });
  await Promise.all(accounts.map(({ accountId }) => store(accountId)));
  expect(new Set(writtenIn).size).toBe(4);
});
