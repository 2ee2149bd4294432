import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgetPruned, readPruned } from '../../../server/vault/pruned-items.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import {
  day,
  makeAccount,
  newId,
  tombstone,
  type VaultDevice,
  write,
} from '../../parts/users/without-keys/vault-device.ts';

const toldDays = 90;

describe.each(databaseKinds)('pruned items on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  /** Items that are written, deleted and pruned in three batches. @returns their ids, and the counter of the prune. */
  async function prune(device: VaultDevice, ids: readonly string[]): Promise<number> {
    await device.send(device.batch({ items: ids.map((id) => write(id)) }));
    await device.send(device.batch({ items: ids.map((id) => tombstone(id, 2)) }));
    return (await device.send(device.batch({ prune: [...ids] }))).counter;
  }
  const told = (device: VaultDevice, afterCounter = 0, limit = 1000) =>
    readPruned(database.db, device.accountId, { afterCounter, limit });
  const forget = (nowMs: number) => database.write((trx) => forgetPruned(trx, database.kind, nowMs));

  test('are told with the counter that pruned them, after a place, to their own account alone', async () => {
    const [device, stranger] = [await makeAccount(database), await makeAccount(database)];
    const first = await prune(device, [newId(), newId()]);
    const id = newId();
    const second = await prune(device, [id]);
    expect((await told(device)).pruned.map(({ counter }) => counter)).toEqual([first, first, second]);
    expect(await told(device, first)).toEqual({ format: 1, pruned: [{ id, counter: second }], more: false });
    expect((await told(device, second)).pruned).toEqual([]);
    expect((await told(stranger)).pruned).toEqual([]);
  });

  test.each([1, 2, 3])('pages of %i give each id once', async (limit) => {
    const device = await makeAccount(database);
    const ids = Array.from({ length: 5 }, newId);
    await prune(device, ids.slice(0, 3));
    await prune(device, ids.slice(3));
    const found: string[] = [];
    let place: { afterCounter: number; afterId?: string } = { afterCounter: 0 };
    for (let more = true; more;) {
      const page = await readPruned(database.db, device.accountId, { ...place, limit });
      found.push(...page.pruned.map(({ id }) => id));
      const last = page.pruned.at(-1)!;
      place = { afterCounter: last.counter, afterId: last.id };
      ({ more } = page);
    }
    expect(found.toSorted()).toEqual(ids.toSorted());
  });

  test('an id that comes back and goes again is told once, by its last prune', async () => {
    const device = await makeAccount(database);
    const id = newId();
    const first = await prune(device, [id]);
    const second = await prune(device, [id]);
    expect(second).toBeGreaterThan(first);
    expect((await told(device)).pruned).toEqual([{ id, counter: second }]);
  });

  test('a refused batch: nothing is told of its pruned items', async () => {
    const device = await makeAccount(database);
    const id = newId();
    await device.send(device.batch({ items: [write(id)] }));
    const stale = device.twin();
    await expect(device.send(device.batch({ prune: [id] }))).rejects.toMatchObject({ code: 'item-conflict' });
    await device.send(device.batch({ items: [tombstone(id, 2)] }));
    await expect(stale.send(stale.batch({ prune: [id] }))).rejects.toMatchObject({ code: 'head-conflict' });
    expect((await told(device)).pruned).toEqual([]);
  });

  test('are told for 90 days, cost their place as long, and give it back', async () => {
    const device = await makeAccount(database);
    const ids = Array.from({ length: 3 }, newId);
    device.nowMs = Date.now() - 30 * day;
    await prune(device, ids);
    const heads = 3 * 380;
    const used = await device.usedBytes();
    expect(used).toBeGreaterThan(heads);
    const endsMs = device.nowMs + toldDays * day;
    await forget(endsMs - 1);
    expect((await told(device)).pruned).toHaveLength(3);
    expect(await device.usedBytes()).toBe(used);
    while ((await forget(endsMs)) > 0);
    expect((await told(device)).pruned).toEqual([]);
    expect(await device.usedBytes()).toBe(heads);
  });
});
