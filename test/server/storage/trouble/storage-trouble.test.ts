import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeError, isForTheLog } from '../../../../server/api/route/error-answer.ts';
import { RelayError } from '../../../../server/api/route/relay-error.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { openSqlite } from '../../../../server/storage/sqlite/sqlite.ts';
import { StorageTrouble, troubleOf } from '../../../../server/storage/trouble/storage-trouble.ts';
import { databaseKinds, openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { mountSmallDisk, mountThinDisk, noSmallDisks, withoutSmallDisks } from '../../../parts/machine/small-disk.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

const mebibyte = 2 ** 20;

function store(database: Database, name: string, length: number): Promise<unknown> {
  const row = { name, value: 'x'.repeat(length) };
  return database.write((trx) => trx.insertInto('metadata').values(row).execute());
}

/** Stores rows until one is refused. */
async function storeUntilRefused(database: Database): Promise<unknown> {
  for (let number = 0; number < 5_000; number++) {
    try {
      await store(database, `row ${number}`, 20_000);
    } catch (error) {
      return error;
    }
  }
  return null;
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

async function openIn(folder: string): Promise<Database> {
  const database = await openSqlite(folder);
  onTestFinished(() => database.close());
  return database;
}

async function openInTemporaryFolder(): Promise<{ database: Database; path: string }> {
  const folder = await makeTemporaryFolder('trouble');
  onTestFinished(() => folder.remove());
  return { database: await openIn(folder.path), path: join(folder.path, 'sotto.sqlite') };
}

const storageFull = { code: 'storage-full', status: 507, headers: { 'Retry-After': '60' } };

describe('sqlite: what a write() ends with', () => {
  test('no page is left: storage-full, and what was stored before is there', async () => {
    const database = await openTestDatabase('sqlite');
    await store(database, 'first', 10);
    await sql.raw('pragma max_page_count = 80').execute(database.db);
    const error = await storeUntilRefused(database);
    expect(troubleOf(error)).toBe('full');
    expect(describeError(error)).toMatchObject(storageFull);
    expect(isForTheLog(error)).toBe(true);
    // Nothing hangs behind: reading works, and so does writing once there is room.
    expect(await database.db.selectFrom('metadata').select('name').where('name', '=', 'first').execute()).toHaveLength(
      1,
    );
    await sql.raw('pragma max_page_count = 8000').execute(database.db);
    await store(database, 'last', 20_000);
  });

  test.skipIf(noSmallDisks !== null)(
    `the disk is full: storage-full, and everything goes on once there is room${withoutSmallDisks}`,
    async () => {
      const folder = mountSmallDisk(4 * mebibyte);
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(mebibyte));
      const database = await openIn(folder);
      const error = await storeUntilRefused(database);
      expect(troubleOf(error)).toBe('full');
      expect(describeError(error)).toMatchObject(storageFull);
      rmSync(join(folder, 'ballast'));
      await store(database, 'again', 20_000);
    },
  );

  test.skipIf(noSmallDisks !== null)(
    `the disk takes bytes and does not keep them (fsync fails): storage-failing${withoutSmallDisks}`,
    async () => {
      const database = await openIn(mountThinDisk(3 * mebibyte));
      const error = await storeUntilRefused(database);
      expect(error).toMatchObject({ code: 'io-error' });
      expect(troubleOf(error)).toBe('io-error');
      expect(describeError(error)).toMatchObject({
        code: 'storage-failing',
        status: 503,
        headers: { 'Retry-After': '30' },
      });
      // One whose sync failed may be there; from then on nothing is written that could not be answered for.
      const stored = await database.db.selectFrom('metadata').select('name').execute();
      expect(troubleOf(await failureOf(store(database, `row ${stored.length}`, 20_000)))).toBe('io-error');
      expect(await database.db.selectFrom('metadata').select('name').execute()).toHaveLength(stored.length);
    },
  );

  test('another program holds the write lock: storage-failing, and the next one succeeds', async () => {
    const { database, path } = await openInTemporaryFolder();
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec('begin immediate');
    const error = await failureOf(store(database, 'one', 10));
    other.exec('rollback');
    expect(troubleOf(error)).toBe('busy');
    expect(describeError(error)).toMatchObject({ code: 'storage-failing', headers: { 'Retry-After': '2' } });
    await store(database, 'two', 10);
  });

  test('nothing may be written: storage-failing', async () => {
    const database = await openTestDatabase('sqlite');
    await sql.raw('pragma query_only = on').execute(database.db);
    expect(troubleOf(await failureOf(store(database, 'one', 10)))).toBe('read-only');
    await sql.raw('pragma query_only = off').execute(database.db);
    await store(database, 'one', 10);
  });

  test('the file is damaged: storage-failing', async () => {
    const { database, path } = await openInTemporaryFolder();
    for (let number = 0; number < 200; number++) await store(database, `row ${number}`, 3_000);
    await sql.raw('pragma wal_checkpoint(truncate)').execute(database.db);
    // Nothing is remembered of what is on the disk.
    await sql.raw('pragma shrink_memory').execute(database.db);
    const file = openSync(path, 'r+');
    for (let page = 1; page < 400; page++) writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(file);
    const error = await failureOf(database.write((trx) => trx.deleteFrom('metadata').execute()));
    expect(troubleOf(error)).toBe('corrupt');
    expect(describeError(error)).toMatchObject({ code: 'storage-failing', headers: { 'Retry-After': '300' } });
  });
});

describe.each(databaseKinds)('%s', (kind) => {
  test('write: an error of the caller comes out as it is, and the next transaction begins', async () => {
    const database = await openTestDatabase(kind);
    const refused = new RelayError('head-conflict');
    const failing = database.write(async (trx) => {
      await trx.insertInto('metadata').values({ name: 'half', value: '' }).execute();
      throw refused;
    });
    expect(await failureOf(failing)).toBe(refused);
    expect(isForTheLog(refused)).toBe(false);
    await store(database, 'whole', 10);
    expect(await database.db.selectFrom('metadata').select('name').execute()).toEqual([{ name: 'whole' }]);
  });
});

test('postgres: a statement that takes too long, and a lock that does not come, are trouble of the storage', async () => {
  const database = await openTestDatabase('postgres');
  const slow = database.write(async (trx) => {
    await sql`set local statement_timeout = 50`.execute(trx);
    await sql`select pg_sleep(20)`.execute(trx);
  });
  expect(troubleOf(await failureOf(slow))).toBe('no-answer');
  await store(database, 'held', 10);
  await database.write(async (trx) => {
    await trx.updateTable('metadata').set({ value: 'a' }).execute();
    const waiting = database.write(async (other) => {
      await sql`set local lock_timeout = 50`.execute(other);
      await other.updateTable('metadata').set({ value: 'b' }).execute();
    });
    expect(troubleOf(await failureOf(waiting))).toBe('busy');
  });
});

test.each([
  [7, 'no-memory', 'storage-failing'],
  [3082, 'no-memory', 'storage-failing'],
  [6, 'busy', 'storage-failing'],
  [517, 'busy', 'storage-failing'],
  [1034, 'io-error', 'storage-failing'],
  [14, 'io-error', 'storage-failing'],
  [4874, 'full', 'storage-full'],
  [13, 'full', 'storage-full'],
  [264, 'read-only', 'storage-failing'],
  [267, 'corrupt', 'storage-failing'],
  [26, 'corrupt', 'storage-failing'],
])(
  'troubleOf: SQLite’s %d is %s, also where SQLite has ended the transaction by itself',
  async (errcode, cause, answered) => {
    const database = await openTestDatabase('sqlite');
    const failing = database.write(async (trx) => {
      await sql`rollback`.execute(trx);
      throw Object.assign(new Error('text'), { code: 'ERR_SQLITE_ERROR', errcode });
    });
    const error = await failureOf(failing);
    expect(troubleOf(error)).toBe(cause);
    expect(describeError(error).code).toBe(answered);
    await store(database, 'next', 10);
  },
);

test.each([
  ['53100', 'full', 'storage-full'],
  ['53200', 'no-memory', 'storage-failing'],
  ['53300', 'no-connection', 'storage-failing'],
  ['57P03', 'unreachable', 'storage-failing'],
  ['08006', 'unreachable', 'storage-failing'],
  ['25006', 'read-only', 'storage-failing'],
  ['58030', 'io-error', 'storage-failing'],
  ['XX001', 'corrupt', 'storage-failing'],
])('troubleOf: PostgreSQL’s %s is %s', (code, cause, answered) => {
  const error = Object.assign(new Error('text'), { code, severity: 'ERROR' });
  expect(troubleOf(error)).toBe(cause);
  expect(describeError(error).code).toBe(answered);
});

test('troubleOf: what is not the database’s trouble stays a defect', () => {
  const defects = [
    new Error('text'),
    null,
    Object.assign(new Error('syntax'), { code: '42601', severity: 'ERROR' }),
    // The fault is of a connection to somebody else.
    Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
    Object.assign(new Error('constraint'), { code: 'ERR_SQLITE_ERROR', errcode: 1555 }),
    Object.assign(new Error('other'), { code: '53100' }),
  ];
  for (const defect of defects) {
    expect(troubleOf(defect)).toBeNull();
    expect(describeError(defect)).toMatchObject({ code: 'internal-error', status: 500 });
  }
  expect(troubleOf(new StorageTrouble('unreachable', 'the connection broke'))).toBe('unreachable');
});
