import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HealthCheck } from '../../../../server/api/pages/health.ts';
import { openPostgres } from '../../../../server/storage/postgres/postgres.ts';
import { openSqlite } from '../../../../server/storage/sqlite/sqlite.ts';
import {
  type SpaceReading,
  StorageFull,
  StorageSpace,
  usualReserve,
} from '../../../../server/storage/trouble/storage-space.ts';
import { startTurn } from '../../../../server/turns/start-turn.ts';
import {
  cookieOf,
  mustSignIn,
  prepareSignUp,
  quickSignUp,
  randomText,
} from '../../../parts/users/without-keys/quick-account.ts';
import { StoringAccount } from '../../../parts/users/without-keys/storing-account.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import { createDatabase } from '../../../parts/storage/shared-postgres.ts';
import { mountSmallDisk, noSmallDisks, withoutSmallDisks } from '../../../parts/machine/small-disk.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import {
  startTurnProcess,
  stateOf,
  storedBytes,
  turnStart,
  until,
} from '../../../parts/relay/in-process/turn-process.ts';
import {
  makeAccount,
  newId,
  tombstone,
  type VaultDevice,
  write,
} from '../../../parts/users/without-keys/vault-device.ts';

const mebibyte = 2 ** 20;

const refusedAsFull = { status: 507, json: { error: 'storage-full' } };

test.skipIf(noSmallDisks !== null)(
  `one account below its quota fills the disk: only growth is refused, and deleting gives the room back${withoutSmallDisks}`,
  async () => {
    const log = quietLog();
    const folder = mountSmallDisk(24 * mebibyte);
    const environment = { DATA_DIR: folder, DISK_RESERVE_BYTES: String(8 * mebibyte) };
    const relay = await openTestRelay('sqlite', { environment, log });
    const [filler, other] = [await quickSignUp(relay, 'filler'), await quickSignUp(relay, 'other')];
    const storing = new StoringAccount(relay, filler);
    const { ids, refusal } = await storing.fill();
    expect(refusal).toMatchObject(refusedAsFull);
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(ids.length).toBeGreaterThan(10);

    expect((await prepareSignUp(relay, 'third', 'a password')).started).toMatchObject(refusedAsFull);
    // Many times over, as a crowd would: the reserve is not eaten by those who are there.
    let { cookie } = other;
    for (let round = 0; round < 40; round++) {
      const refreshed = await relay.call('POST', '/v1/session/refresh', { body: { format: 1 }, headers: { cookie } });
      expect(refreshed.status).toBe(200);
      cookie = cookieOf(refreshed);
    }
    for (let round = 0; round < 10; round++) {
      const { answer } = await mustSignIn(relay, 'other', 'a password');
      const signOut = { body: { format: 1 }, token: answer.session.accessToken };
      expect((await relay.call('POST', '/v1/sign-out', signOut)).status).toBe(200);
    }
    expect(log.codes.filter((code) => code.startsWith('storage-'))).toEqual(['storage-low', 'storage-spent']);

    // Emptying a full vault is always taken, and what it frees can be used again.
    for (const id of ids) expect((await storing.store([tombstone(id, 2)])).status).toBe(200);
    expect((await storing.store([write(newId(), 1, { body: randomText(mebibyte / 2) })])).status).toBe(200);
    expect((await quickSignUp(relay, 'third')).name).toBe('third');
    await until(() => log.codes.includes('storage-ample'));
    expect(log.codes.filter((code) => code === 'call-failed')).toEqual([]);
  },
);

test.skipIf(noSmallDisks !== null)(
  `no room for growth: a running turn is written to its end, and no other begins${withoutSmallDisks}`,
  async () => {
    const folder = mountSmallDisk(24 * mebibyte);
    const database = await openSqlite(folder, { diskReserveBytes: 8 * mebibyte });
    const worker = await new ScriptedWorker().start();
    const relay = await startTurnProcess(database, [worker]);
    onTestFinished(async () => {
      await relay.service.close();
      await worker.stop();
      await database.close();
    });
    const device = await makeAccount(database);
    const enclaveId = (await relay.service.pool.choose({ accountId: '', model: '' }))[0]!.id;
    const start = turnStart(device, enclaveId, { batch: null });
    await startTurn(relay.service, device.accountId, start);
    // Something else takes the disk down to below the reserve.
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(17 * mebibyte));
    for (const batch of [null, device.batch({ items: [write(newId())] })]) {
      const refused = startTurn(relay.service, device.accountId, turnStart(device, enclaveId, { batch }));
      await expect(refused).rejects.toMatchObject({ code: 'storage-full' });
    }
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 40);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    expect((await storedBytes(database, start.turnId)).length).toBeGreaterThanOrEqual(40 * 272);
    // The rest of the reserve is not theirs.
    writeFileSync(join(folder, 'more'), Buffer.alloc(3 * mebibyte));
    await until(() => !database.space.hasRoomForFrames);
  },
);

test('healthz: marks what an operator should look at while it still says that it serves', async () => {
  const folder = await makeTemporaryFolder('health');
  onTestFinished(() => folder.remove());
  const marksWith = async (storageLimitBytes: number) => {
    const database = await openSqlite(folder.path, { storageLimitBytes, diskReserveBytes: 0 });
    const dependencies = { database, files: { isBuilt: true }, pool: { isReady: async () => true } };
    const health = await new HealthCheck(dependencies).look();
    await database.close();
    return health;
  };
  const database = await openSqlite(folder.path);
  await database.db
    .insertInto('metadata')
    .values({ name: 'large', value: 'x'.repeat(8 * mebibyte) })
    .execute();
  const { usedBytes } = await usedBy(database);
  await database.close();
  expect(await marksWith(usedBytes * 2)).toEqual({ isReady: true, marks: [] });
  expect(await marksWith(Math.ceil(usedBytes / 0.92))).toEqual({ isReady: true, marks: ['storage-low'] });
  expect(await marksWith(Math.ceil(usedBytes / 0.97))).toEqual({ isReady: true, marks: ['storage-spent'] });
});

async function usedBy({ db }: Pick<VaultDevice['database'], 'db'>): Promise<{ usedBytes: number }> {
  const { rows } = await sql<{ bytes: number }>`
    select (page_count - freelist_count) * page_size as bytes
    from pragma_page_count, pragma_freelist_count, pragma_page_size`.execute(db);
  return { usedBytes: rows[0]!.bytes };
}

/** False for `StorageFull`; anything else that is thrown is a fault of the test. */
function isGranted(ask: () => unknown): boolean {
  try {
    ask();
    return true;
  } catch (error) {
    if (error instanceof StorageFull) return false;
    throw error;
  }
}

/** Stores until not even a small item is taken. @returns the ids. */
async function fillToLimit(device: VaultDevice): Promise<string[]> {
  const ids: string[] = [];
  for (const length of [mebibyte / 4, 65_536, 1_100]) {
    for (let refused = false; !refused;) {
      const item = write(newId(), 1, { body: randomText(length) });
      try {
        await device.send(device.batch({ items: [item] }));
        ids.push(item.id);
      } catch (error) {
        refused = error instanceof StorageFull;
        if (!refused) throw error;
      }
    }
  }
  return ids;
}

describe('STORAGE_LIMIT_BYTES', () => {
  const limit = 24 * mebibyte;

  test('sqlite: the whole database stays below it, and what is deleted can be used again', async () => {
    const folder = await makeTemporaryFolder('limit');
    const database = await openSqlite(folder.path, { storageLimitBytes: limit });
    onTestFinished(async () => {
      await database.close();
      await folder.remove();
    });
    const [one, two] = [await makeAccount(database), await makeAccount(database)];
    const items = await fillToLimit(one);
    // It is the installation's: another account, which stores nothing, meets it too.
    await expect(two.send(two.batch({ items: [write(newId())] }))).rejects.toMatchObject({ code: 'storage-full' });
    expect((await usedBy(database)).usedBytes).toBeLessThan(limit);
    for (const id of items.slice(0, 10)) await one.send(one.batch({ items: [tombstone(id, 2)] }));
    await two.send(two.batch({ items: [write(newId())] }));
  });

  test('postgres: the whole database stays below it, and what vacuum frees can be used again', async () => {
    const settings = { url: await createDatabase(), ca: null, connections: 4 };
    const database = await openPostgres(settings, { storageLimitBytes: limit });
    onTestFinished(() => database.close());
    const size = async () =>
      (await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(database.db)).rows[0]!
        .bytes;
    const [one, two] = [await makeAccount(database), await makeAccount(database)];
    const items = await fillToLimit(one);
    expect(await size()).toBeLessThan(limit * 1.05);
    await database.space.refresh();
    await expect(two.send(two.batch({ items: [write(newId())] }))).rejects.toMatchObject({ code: 'storage-full' });
    for (const id of items) await one.send(one.batch({ items: [tombstone(id, 2)] }));
    await until(async () => {
      await sql`vacuum analyze`.execute(database.db);
      await database.space.refresh();
      return database.space.level === 'ample';
    });
    // Again as much, within the same files.
    const again = await fillToLimit(two);
    expect(again.length).toBeGreaterThan(items.length / 2);
    expect(await size()).toBeLessThan(limit * 1.1);
  });
});

test('sqlite: a disk that cannot be read any more is no reason to end the process', async () => {
  const folder = await makeTemporaryFolder('gone');
  const database = await openSqlite(folder.path);
  const { space } = database;
  await database.close();
  await folder.remove();
  expect([space.hasRoomForFrames, space.level, isGranted(() => space.requireRoom(1))]).toEqual([true, 'ample', true]);
});

describe('StorageSpace', () => {
  const disk = (freeBytes: number, totalBytes = 1000 * mebibyte) => ({ freeBytes, totalBytes });
  const spaceWith = (reading: SpaceReading, limits = {}) =>
    new StorageSpace({ read: () => reading, refresh: async () => undefined }, limits);

  test.each([
    { free: 65, inside: 0, bytes: 0, granted: true },
    { free: 63, inside: 0, bytes: 0, granted: false },
    // Growth goes to the log and to the file.
    { free: 74, inside: 0, bytes: 10, granted: true },
    { free: 73, inside: 0, bytes: 10, granted: false },
    { free: 60, inside: 0, bytes: 20, granted: false },
    // Free room in the database counts, as long as the log has room.
    { free: 50, inside: 30, bytes: 10, granted: true },
    { free: 40, inside: 300, bytes: 10, granted: false },
  ])('requireRoom: $free MiB on the disk, $inside in the database, $bytes to come: granted is $granted', (given) => {
    const reading = { usedBytes: 0, reusableBytes: given.inside * mebibyte, disk: disk(given.free * mebibyte) };
    expect(isGranted(() => spaceWith(reading).requireRoom(given.bytes * mebibyte))).toBe(given.granted);
  });

  test('watch: each line is told of once, and to and fro around it is no crossing', () => {
    const told: string[] = [];
    const reading = { usedBytes: 0, reusableBytes: 0, disk: disk(500 * mebibyte) };
    const space = spaceWith(reading);
    space.watch((level) => told.push(level));
    const at = (free: number) => {
      reading.disk = disk(free * mebibyte);
      return space.level;
    };
    expect([127, 129, 127, 63, 65, 63, 71, 139, 141].map(at).at(-1)).toBe('ample');
    expect(told).toEqual(['low', 'spent', 'low', 'ample']);
  });

  test('usualReserve: follows the disk within bounds', () => {
    const gibibyte = 1024 * mebibyte;
    const reserves = [0.1, 1, 25, 1000].map((size) => usualReserve(size * gibibyte) / mebibyte);
    expect(reserves.map(Math.round)).toEqual([26, 64, 256, 1024]);
  });
});
