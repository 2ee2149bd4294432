import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inlineBodyLength } from '../../../crypto/protocol/messages/item-messages.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { expireItems } from '../../../server/vault/expire-items.ts';
import { readBody, readHeads, readItems } from '../../../server/vault/read-items.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import {
  day,
  makeAccount,
  newId,
  tombstone,
  type VaultDevice,
  write,
} from '../../parts/users/without-keys/vault-device.ts';

describe.each(databaseKinds)('reading the vault on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  async function pullAll(device: VaultDevice, limit: number): Promise<{ ids: string[]; pages: number }> {
    const ids: string[] = [];
    let place: { afterCounter: number; afterId?: string } = { afterCounter: 0 };
    for (let pages = 1; ; pages++) {
      const page = await database.read((trx) => readItems(trx, device.accountId, { ...place, limit }));
      ids.push(...page.items.map((item) => item.id));
      const last = page.items.at(-1);
      if (!page.more || last === undefined) return { ids, pages };
      place = { afterCounter: last.counter, afterId: last.id };
    }
  }

  test.each([1, 2, 7, 500])('pages of %i items give each item once', async (limit) => {
    const device = await makeAccount(database);
    const ids: string[] = [];
    for (let batch = 0; batch < 4; batch++) {
      const items = Array.from({ length: 5 }, () => write(newId()));
      ids.push(...items.map((item) => item.id));
      await device.send(device.batch({ items }));
    }
    const pulled = await pullAll(device, limit);
    expect(pulled.ids.toSorted()).toEqual(ids.toSorted());
    expect(pulled.pages).toBe(Math.ceil(20 / limit));
  });

  test('gives bodies as they were stored', async () => {
    const device = await makeAccount(database);
    const item = write(newId(), 1, { expiresAt: Math.floor(Date.now() / day) + 30 });
    await device.send(device.batch({ items: [item] }));
    const page = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 1 }));
    expect(page.items[0]).toMatchObject({ ...item, bodyState: 'here', length: 1100, turnId: null });
    const body = await readBody(database.db, device.accountId, item.id);
    expect(Buffer.from(fromBase64Url(item.body)).equals(body)).toBe(true);
  });

  test('leaves large bodies out and gives them one by one', async () => {
    const device = await makeAccount(database);
    const [inline, large] = [newId(), newId()];
    const [inlineBody, largeBody] = [randomBytes(inlineBodyLength), randomBytes(inlineBodyLength + 1)];
    await device.send(
      device.batch({
        items: [write(inline, 1, { body: toBase64Url(inlineBody) }), write(large, 1, { body: toBase64Url(largeBody) })],
      }),
    );
    const page = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 10 }));
    const states = new Map(page.items.map((item) => [item.id, [item.bodyState, item.body?.length ?? null]]));
    expect(states.get(inline)).toEqual(['here', toBase64Url(inlineBody).length]);
    expect(states.get(large)).toEqual(['large', null]);
    expect(Buffer.from(await readBody(database.db, device.accountId, large)).equals(largeBody)).toBe(true);
  });

  test('cuts a page at two megabytes of bodies', async () => {
    const device = await makeAccount(database);
    const body = toBase64Url(randomBytes(inlineBodyLength));
    for (let batch = 0; batch < 3; batch++) {
      await device.send(device.batch({ items: Array.from({ length: 50 }, () => write(newId(), 1, { body })) }));
    }
    const page = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 500 }));
    expect(page.more).toBe(true);
    const bytes = page.items.reduce((sum, item) => sum + item.length, 0);
    expect(bytes).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(bytes + inlineBodyLength).toBeGreaterThan(2 * 1024 * 1024);
    expect(new Set((await pullAll(device, 500)).ids).size).toBe(150);
  });

  test('an item that changes while a device pages comes again, none is missed', async () => {
    const device = await makeAccount(database);
    const items = Array.from({ length: 6 }, () => write(newId()));
    await device.send(device.batch({ items }));
    const first = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 3 }));
    const changed = first.items[0]!.id;
    await device.send(device.batch({ items: [write(changed, 2)] }));
    const last = first.items.at(-1)!;
    const rest = await database.read((trx) =>
      readItems(trx, device.accountId, { afterCounter: last.counter, afterId: last.id, limit: 500 }),
    );
    expect(rest.items).toHaveLength(4);
    expect(rest.items.at(-1)).toMatchObject({ id: changed, version: 2 });
    expect(rest.head.counter).toBe(3);
  });

  test('another account sees nothing of it', async () => {
    const [mine, theirs] = [await makeAccount(database), await makeAccount(database)];
    const id = newId();
    await mine.send(mine.batch({ items: [write(id)] }));
    await expect(readBody(database.db, theirs.accountId, id)).rejects.toMatchObject({ code: 'not-found' });
    expect((await pullAll(theirs, 500)).ids).toEqual([]);
    expect((await pullAll(mine, 500)).ids).toEqual([id]);
  });

  test('gives the chain of heads in pages', async () => {
    const device = await makeAccount(database);
    const bodies: string[] = [];
    for (let i = 0; i < 5; i++) {
      const batch = device.batch();
      bodies.push(batch.head.body);
      await device.send(batch);
    }
    const first = await readHeads(database.db, device.accountId, { after: 1, limit: 3 });
    const rest = await readHeads(database.db, device.accountId, { after: 4, limit: 3 });
    expect([...first.heads, ...rest.heads].map((head) => head.body)).toEqual(bodies);
    expect([first.more, rest.more]).toEqual([true, false]);
  });

  test('drops expired bodies a day after clients accept it, keeps leaves and what lives', async () => {
    const device = await makeAccount(database);
    const today = Math.floor(Date.now() / day);
    const [expiring, later, forever, deleted] = [newId(), newId(), newId(), newId()];
    await device.send(
      device.batch({
        items: [
          write(expiring, 1, { expiresAt: today }),
          write(later, 1, { expiresAt: today + 1 }),
          write(forever),
          write(deleted, 1, { expiresAt: today }),
        ],
      }),
    );
    await device.send(device.batch({ items: [{ ...tombstone(deleted, 2), expiresAt: today }] }));
    const before = await device.usedBytes();
    const expireAt = (dayNumber: number) =>
      database.write((trx) => expireItems(trx, database.kind, dayNumber * day + 1));
    expect(await expireAt(today + 1)).toBe(0);
    expect(await expireAt(today + 2)).toBe(1);
    expect(await expireAt(today + 2)).toBe(0);
    expect(await device.usedBytes()).toBe(before - 1100);
    const page = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 10 }));
    const states = new Map(page.items.map((item) => [item.id, item]));
    expect(states.get(expiring)).toMatchObject({ bodyState: 'expired', body: null, length: 1100, version: 1 });
    expect(states.get(later)?.bodyState).toBe('here');
    expect(states.get(forever)?.bodyState).toBe('here');
    expect(states.get(deleted)).toMatchObject({ bodyState: 'here', body: '', flags: 1 });
    await expect(readBody(database.db, device.accountId, expiring)).rejects.toMatchObject({ code: 'gone' });
  });

  test('an expired item can be written anew', async () => {
    const device = await makeAccount(database);
    const id = newId();
    const today = Math.floor(Date.now() / day);
    await device.send(device.batch({ items: [write(id, 1, { expiresAt: today - 9 })] }));
    await database.write((trx) => expireItems(trx, database.kind, Date.now()));
    await device.send(device.batch({ items: [write(id, 2)] }));
    expect(await readBody(database.db, device.accountId, id)).toHaveLength(1100);
  });
});
