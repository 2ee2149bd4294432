import fc from 'fast-check';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { MetadataTable } from '../../../server/storage/tables/schema.ts';
import { isDuplicate } from '../../../server/storage/tables/database.ts';
import { openDatabase } from '../../../server/storage/open-database.ts';
import { openSqlite } from '../../../server/storage/sqlite/sqlite.ts';
import {
  databaseKinds,
  makeDatabase,
  openTestDatabase,
  type TestDatabase,
} from '../../parts/storage/relay-database.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const note = (name: string, value = ''): MetadataTable => ({ name, value });
const names = async ({ db }: TestDatabase) =>
  (await db.selectFrom('metadata').select('name').orderBy('name').execute()).map((row) => row.name);

describe.each(databaseKinds)('%s', (kind) => {
  test('rows: bytes, numbers and null come back as they were stored, in plain objects', async () => {
    const { db } = await openTestDatabase(kind);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.maxSafeNat(), async (bytes, number) => {
        const row = {
          subject: new Uint8Array(bytes),
          kind: `${number}`,
          window_start: number,
          count: Number.MAX_SAFE_INTEGER,
        };
        await db.deleteFrom('rate_counters').execute();
        await db.insertInto('rate_counters').values(row).execute();
        const [read] = await db.selectFrom('rate_counters').selectAll().execute();
        expect(read).toStrictEqual(row);
        // The bytes own their memory: a view into a shared pool would hand out the neighbours as well.
        expect(read!.subject.buffer.byteLength).toBe(bytes.length);
      }),
      { numRuns: 50 },
    );
    const [empty] = (await sql<{ absent: null }>`select null as absent`.execute(db)).rows;
    expect(empty).toStrictEqual({ absent: null });
  });

  test('rows: byte strings are ordered and compared as bytes', async () => {
    const { db } = await openTestDatabase(kind);
    const keys = [[0xff], [], [0x00], [0x7f, 0xff], [0x7f], [0x80]].map((bytes) => Uint8Array.from(bytes));
    for (const subject of keys) {
      await db.insertInto('rate_counters').values({ subject, kind: 'x', window_start: 0, count: 0 }).execute();
    }
    const rows = await db.selectFrom('rate_counters').select('subject').orderBy('subject').execute();
    expect(rows.map((row) => [...row.subject])).toEqual([[], [0x00], [0x7f], [0x7f, 0xff], [0x80], [0xff]]);
    const found = await db.selectFrom('rate_counters').select('kind').where('subject', '=', keys[3]!).execute();
    expect(found).toHaveLength(1);
  });

  test.each(['write', 'writeAside'] as const)('%s: everything or nothing, and nobody sees the half', async (write) => {
    const database = await openTestDatabase(kind);
    const failing = database[write](async (trx) => {
      await trx.insertInto('metadata').values(note('half')).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await names(database)).toEqual([]);
    await database[write]((trx) =>
      trx
        .insertInto('metadata')
        .values([note('a'), note('b')])
        .execute(),
    );
    expect(await names(database)).toEqual(['a', 'b']);
  });

  test('write: transactions that add to one number lose nothing', async () => {
    const database = await openTestDatabase(kind);
    await database.db.insertInto('metadata').values(note('sum', '0')).execute();
    let turn = 0;
    const add = () =>
      database[(turn += 1) % 2 === 0 ? 'write' : 'writeAside'](async (trx) => {
        await trx.updateTable('metadata').set({ name: 'sum' }).where('name', '=', 'sum').execute();
        const { value } = await trx.selectFrom('metadata').select('value').executeTakeFirstOrThrow();
        await trx
          .updateTable('metadata')
          .set({ value: String(Number(value) + 1) })
          .execute();
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await database.db.selectFrom('metadata').select('value').execute()).toEqual([{ value: '20' }]);
  });

  test('write: two that wait for each other both succeed', async () => {
    const database = await openTestDatabase(kind);
    await database.write((trx) =>
      trx
        .insertInto('metadata')
        .values([note('a'), note('b')])
        .execute(),
    );
    let holding = 0;
    const touch = (first: string, second: string) =>
      database.write(async (trx) => {
        const update = (name: string) =>
          trx.updateTable('metadata').set({ value: first }).where('name', '=', name).execute();
        await update(first);
        holding += 1;
        // With row locks each holds what the other wants; SQLite's writers come one after the other.
        if (kind === 'postgres') await vi.waitUntil(() => holding >= 2, { timeout: 10_000 });
        await update(second);
      });
    await Promise.all([touch('a', 'b'), touch('b', 'a')]);
    // With row locks one at least was asked to come again.
    expect(holding).toBeGreaterThanOrEqual(kind === 'postgres' ? 3 : 2);
  });

  test('isDuplicate: tells a taken key from any other failure', async () => {
    const database = await openTestDatabase(kind);
    const { db } = database;
    const insert = () => db.insertInto('metadata').values(note('once')).execute();
    await insert();
    const taken = await insert().catch((error: unknown) => error);
    const takenAside = await database
      .writeAside((trx) => trx.insertInto('metadata').values(note('once')).execute())
      .catch((error: unknown) => error);
    const other = await sql`select * from nowhere`.execute(db).catch((error: unknown) => error);
    expect([taken, takenAside, other, null].map(isDuplicate)).toEqual([true, true, false, false]);
  });

  test('open: finds everything again, and refuses a database of a newer version', async () => {
    const database = await makeDatabase(kind);
    onTestFinished(() => database.remove());
    await database.db.insertInto('metadata').values(note('kept')).execute();
    await database.close();
    const again = await openDatabase(database.place);
    expect(await again.db.selectFrom('metadata').select('name').execute()).toEqual([{ name: 'kept' }]);
    await sql`insert into kysely_migration (name, timestamp) values ('0999-from-the-future', '2099-01-01')`.execute(
      again.db,
    );
    await again.close();
    await expect(openDatabase(database.place)).rejects.toThrow('was written by a newer version of Sotto');
  });

  test('accounts: what belongs to one goes with it', async () => {
    const { db } = await openTestDatabase(kind);
    const bytes = new Uint8Array(16);
    const account = {
      id: 'a',
      name_hash: bytes,
      opaque_user_id: 'u',
      opaque_setup_id: 's',
      opaque_record: 'r',
      stretching: 'x',
      recovery_public_key: bytes,
      keyslot_list: bytes,
      keyring: null,
      head_counter: 1,
      head_hash: bytes,
      used_bytes: 0,
      created_at: 0,
    };
    const head = { account_id: 'a', counter: 1, body: bytes, hash: bytes, stored_at: 0 };
    await expect(db.insertInto('heads').values(head).execute()).rejects.toThrow(/foreign key/i);
    await db.insertInto('accounts').values(account).execute();
    await db.insertInto('heads').values(head).execute();
    await db.deleteFrom('accounts').execute();
    expect(await db.selectFrom('heads').selectAll().execute()).toEqual([]);
  });
});

test('sqlite: every commit is synced, and an auditor can read while the relay runs', async () => {
  const database = await openTestDatabase('sqlite');
  const pragma = async (name: string) =>
    (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(database.db)).rows;
  // Its commits are synced beside the event loop (wal-sync.test.ts).
  expect(await pragma('synchronous')).toEqual([{ synchronous: 1 }]);
  expect(await pragma('wal_autocheckpoint')).toEqual([{ wal_autocheckpoint: 0 }]);
  expect(await pragma('journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  expect(await pragma('foreign_keys')).toEqual([{ foreign_keys: 1 }]);
  await database.db.insertInto('metadata').values(note('seen')).execute();
  const auditor = new DatabaseSync(`${database.place.dataFolder}/sotto.sqlite`, { readOnly: true });
  expect(auditor.prepare('select name from metadata').all()).toMatchObject([{ name: 'seen' }]);
  auditor.close();
});

test('sqlite: a text where a number belongs is refused, as PostgreSQL does', async () => {
  const { db } = await openTestDatabase('sqlite');
  const insert = (count: unknown) =>
    db
      .insertInto('rate_counters')
      .values({ subject: new Uint8Array(1), kind: String(count), window_start: 0, count: count as number })
      .execute();
  await expect(insert('three')).rejects.toThrow('cannot store TEXT value in INTEGER column');
  await insert(3);
});

test('openSqlite: a second opening is refused, and the first goes on', async () => {
  const folder = await makeTemporaryFolder('lock');
  onTestFinished(() => folder.remove());
  const first = await openSqlite(folder.path);
  await expect(openSqlite(folder.path)).rejects.toThrow('Sotto is already running on the data folder');
  await first.db.insertInto('metadata').values(note('alive')).execute();
  await first.close();
  await (await openSqlite(folder.path)).close();
});
