import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { prunedOverhead } from '../../../server/vault/pruned-items.ts';
import { itemOverhead } from '../../../server/vault/quota.ts';
import { readHeads, readItems } from '../../../server/vault/read-items.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import {
  day,
  makeAccount,
  newId,
  tombstone,
  type VaultDevice,
  write,
} from '../../parts/users/without-keys/vault-device.ts';

describe.each(databaseKinds)('writeBatch on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  const sync = (device: VaultDevice) =>
    database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 500 }));

  test('stores items under the counter of their head', async () => {
    const device = await makeAccount(database);
    const [first, second] = [newId(), newId()];
    await device.send(device.batch({ items: [write(first), write(second)] }));
    await device.send(device.batch({ items: [write(first, 2)] }));
    const { items, head } = await sync(device);
    expect(items.map(({ id, version, counter }) => ({ id, version, counter }))).toEqual([
      { id: second, version: 1, counter: 2 },
      { id: first, version: 2, counter: 3 },
    ]);
    expect(head.counter).toBe(3);
  });

  test('refuses a batch that follows an older head, and stores nothing of it', async () => {
    const device = await makeAccount(database);
    const stale = device.twin();
    await device.send(device.batch({ items: [write(newId())] }));
    const before = await sync(device);
    await expect(stale.send(stale.batch({ items: [write(newId())] }))).rejects.toMatchObject({ code: 'head-conflict' });
    expect(await sync(device)).toEqual(before);
  });

  test.each([0, 2, 3])('refuses a head whose counter is %i further', async (step) => {
    const device = await makeAccount(database);
    const batch = device.batch();
    const wrong = { ...batch, head: { ...batch.head, counter: device.head.counter + step } };
    await expect(device.send(wrong)).rejects.toMatchObject({ code: 'head-conflict' });
    await expect(device.send(batch)).resolves.toEqual({ counter: 2, repeated: false });
  });

  test('answers the same batch again as stored, also after later ones', async () => {
    const device = await makeAccount(database);
    const again = device.twin();
    const batch = device.batch({ items: [write(newId())] });
    await device.send(batch);
    await expect(again.send(batch)).resolves.toEqual({ counter: 2, repeated: true });
    await device.send(device.batch({ items: [write(newId())] }));
    await expect(again.send(batch)).resolves.toEqual({ counter: 2, repeated: true });
    expect((await sync(device)).items).toHaveLength(2);
  });

  test.each([2, 7])('refuses version %i of a new item', async (version) => {
    const device = await makeAccount(database);
    await expect(device.send(device.batch({ items: [write(newId(), version)] }))).rejects.toMatchObject({
      code: 'item-conflict',
    });
  });

  test.each([1, 2, 4])('refuses version %i over version 2', async (version) => {
    const device = await makeAccount(database);
    const id = newId();
    await device.send(device.batch({ items: [write(id)] }));
    await device.send(device.batch({ items: [write(id, 2)] }));
    const wrong = device.batch({ items: [write(newId()), write(id, version)] });
    await expect(device.send(wrong)).rejects.toMatchObject({ code: 'item-conflict' });
    expect((await sync(device)).items).toHaveLength(1);
    await expect(device.send(device.batch({ items: [write(id, 3)] }))).resolves.toBeDefined();
  });

  test('a deleted item does not come back', async () => {
    const device = await makeAccount(database);
    const id = newId();
    await device.send(device.batch({ items: [write(id)] }));
    await device.send(device.batch({ items: [tombstone(id, 2)] }));
    for (const back of [write(id, 3), tombstone(id, 3), write(id, 1)]) {
      await expect(device.send(device.batch({ items: [back] }))).rejects.toMatchObject({ code: 'item-conflict' });
    }
    expect((await sync(device)).items[0]).toMatchObject({ id, version: 2, flags: 1, length: 0, body: '' });
  });

  test('refuses a tombstone with a body and a live item without one', async () => {
    const device = await makeAccount(database);
    const id = newId();
    const wrong = [
      [write(id, 1, { flags: 1 })],
      [write(id, 1, { body: '' })],
      [write(id), write(id)],
      [write(id), tombstone(id, 2)],
    ];
    for (const items of wrong) {
      await expect(device.send(device.batch({ items }))).rejects.toMatchObject({ code: 'bad-request' });
    }
    await expect(device.send(device.batch({ items: [write(id)] }))).resolves.toBeDefined();
  });

  test('refuses a body that is spelled in another way', async () => {
    const device = await makeAccount(database);
    const body = `${toBase64Url(randomBytes(1099))}`;
    const other = body.slice(0, -1) + String.fromCharCode(body.charCodeAt(body.length - 1) + 1);
    await expect(device.send(device.batch({ items: [write(newId(), 1, { body: other })] }))).rejects.toMatchObject({
      code: 'bad-request',
    });
    await expect(device.send(device.batch({ items: [write(newId(), 1, { body })] }))).resolves.toBeDefined();
  });

  test('prunes tombstones and what is expired, and nothing that lives', async () => {
    const device = await makeAccount(database);
    const [dead, expired, living] = [newId(), newId(), newId()];
    const yesterday = Math.floor(device.nowMs / day) - 1;
    const tomorrow = yesterday + 2;
    await device.send(
      device.batch({
        items: [write(dead), write(expired, 1, { expiresAt: yesterday }), write(living, 1, { expiresAt: tomorrow })],
      }),
    );
    await device.send(device.batch({ items: [tombstone(dead, 2)] }));
    for (const id of [living, newId()]) {
      const wrong = device.batch({ prune: [dead, id] });
      await expect(device.send(wrong)).rejects.toMatchObject({ code: 'item-conflict' });
    }
    await device.send(device.batch({ prune: [dead, expired] }));
    expect((await sync(device)).items.map((item) => item.id)).toEqual([living]);
  });

  test('refuses an id that is written and pruned at once', async () => {
    const device = await makeAccount(database);
    const id = newId();
    await expect(device.send(device.batch({ items: [write(id)], prune: [id] }))).rejects.toMatchObject({
      code: 'bad-request',
    });
  });

  test('counts bytes, refuses what exceeds the quota, and takes what shrinks', async () => {
    const device = await makeAccount(database);
    const [first, second] = [newId(), newId()];
    await device.send(device.batch({ items: [write(first)] }));
    expect(await device.usedBytes()).toBe(1100 + itemOverhead + 380);
    device.quotaBytes = 2500;
    await expect(device.send(device.batch({ items: [write(second)] }))).rejects.toMatchObject({
      code: 'quota-exceeded',
    });
    await device.send(device.batch({ items: [tombstone(first, 2)] }));
    await device.send(device.batch({ items: [write(second, 1, { body: toBase64Url(randomBytes(100)) })] }));
    await device.send(device.batch({ prune: [first] }));
    expect(await device.usedBytes()).toBe(100 + itemOverhead + 4 * 380 + prunedOverhead);
  });

  test('takes a batch of 500 items', async () => {
    const device = await makeAccount(database);
    const items = Array.from({ length: 500 }, () => write(newId()));
    await device.send(device.batch({ items }));
    await device.send(device.batch({ items: items.map((item) => write(item.id, 2)) }));
    const page = await sync(device);
    expect(new Set(page.items.map((item) => item.id))).toEqual(new Set(items.map((item) => item.id)));
    expect(page.items.every((item) => item.version === 2 && item.counter === 3)).toBe(true);
  });

  test('writeBatch: exactly one of two racing devices wins each round', async () => {
    const first = await makeAccount(database);
    for (let round = 0; round < 15; round++) {
      const devices = [first, first.twin(), first.twin()];
      const results = await Promise.allSettled(
        devices.map((device) => device.send(device.batch({ items: [write(newId())] }))),
      );
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused).toHaveLength(devices.length - 1);
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'head-conflict' });
      first.head = devices[results.findIndex((result) => result.status === 'fulfilled')]!.head;
    }
    const { heads } = await readHeads(database.db, first.accountId, { after: 0, limit: 1000 });
    expect(heads.map((head) => head.counter)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect((await sync(first)).items).toHaveLength(15);
  });

  test('two accounts may use the same item id', async () => {
    const [mine, theirs] = [await makeAccount(database), await makeAccount(database)];
    const id = newId();
    await mine.send(mine.batch({ items: [write(id)] }));
    await theirs.send(theirs.batch({ items: [write(id)] }));
    await theirs.send(theirs.batch({ items: [tombstone(id, 2)] }));
    expect((await sync(mine)).items[0]).toMatchObject({ id, version: 1, flags: 0 });
  });

  test('an account that is gone stores nothing', async () => {
    const device = await makeAccount(database);
    const unknown = new (device.constructor as typeof VaultDevice)(database, 'nobody', device.head);
    await expect(unknown.send(unknown.batch())).rejects.toMatchObject({ code: 'session-ended' });
  });
});
