import fileSystem, { createWriteStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { InsertQueryNode, type KyselyPlugin, sql, ValuesNode } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { readBackupHeader, restoreBackup, writeBackup } from '../../../../server/storage/backup/backup-file.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { readPackedLines } from '../../../../server/storage/backup/packed-lines.ts';
import { writePackedLines } from '../../../../server/storage/backup/part-file.ts';
import { openPostgres } from '../../../../server/storage/postgres/postgres.ts';
import { openSqliteSnapshot } from '../../../../server/storage/backup/snapshot-sqlite.ts';
import { hashBytes } from '../../../../server/vault/parse-batch.ts';
import { databaseKinds, openTestDatabase, returnToFirstTables } from '../../../parts/storage/relay-database.ts';
import { mountSmallDisk, noSmallDisks, withoutSmallDisks } from '../../../parts/machine/small-disk.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { addSession, makeAccount, newId, write } from '../../../parts/users/without-keys/vault-device.ts';

const mebibyte = 2 ** 20;
const largeItems = 20;
const smallItems = 450;

type Insert = { readonly rows: number; readonly length: number };

/** The same database, with every INSERT of it noted: its rows, and the bytes in them. */
function watchInserts(database: Database): { readonly watched: Database; readonly inserts: Insert[] } {
  const inserts: Insert[] = [];
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (InsertQueryNode.is(node) && node.values !== undefined && ValuesNode.is(node.values)) {
        const cells = node.values.values.flatMap((row): readonly unknown[] => row.values);
        const length = cells.reduce<number>((sum, cell) => sum + (cell instanceof Uint8Array ? cell.length : 0), 0);
        inserts.push({ rows: node.values.values.length, length });
      }
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const watched: Database = {
    ...database,
    write: (work) => database.write((trx) => work(trx.withPlugin(plugin))),
  };
  return { watched, inserts };
}

/** Rows of all items, bodies by their hash. */
async function itemsOf(database: Database) {
  const rows = await database.db.selectFrom('items').selectAll().orderBy('account_id').orderBy('id').execute();
  return rows.map(({ body, ...row }) => ({ ...row, body: body === null ? null : hashBytes(body) }));
}

const about = { createdAtMs: 1, serverKeys: 'keys' };

const complaintOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: Error) => `${error.name}: ${error.message}`,
  );

async function backupFolder(): Promise<string> {
  const folder = await makeTemporaryFolder('backup');
  onTestFinished(() => folder.remove());
  return folder.path;
}

/** Writes a file as backups are packed. */
function pack(path: string, lines: Iterable<string>): Promise<void> {
  return pipeline(Readable.from(lines), createGzip(), createWriteStream(path));
}

const firstLine = (schema = 2) => `${JSON.stringify({ format: 'sotto-backup-1', schema, ...about })}\n`;

const aRow = `${JSON.stringify(['metadata', { name: 'a', value: 'b' }])}\n`;
const lastLine = (metadata: number) => `${JSON.stringify({ rows: { metadata } })}\n`;

describe.each(databaseKinds)('%s', (kind) => {
  test('writeBackup: a database of an earlier version stays as it is, and can be restored', async () => {
    const [from, to] = [await openTestDatabase(kind), await openTestDatabase(kind)];
    const { accountId } = await makeAccount(from);
    await returnToFirstTables(from.db);
    const path = join(await backupFolder(), 'old.backup');
    // The command opens it so.
    const reading =
      from.place.postgres === null
        ? await openSqliteSnapshot(from.place.dataFolder, path)
        : await openPostgres(from.place.postgres, { migrate: false });
    await writeBackup(path, reading, about);
    await reading.close();
    // Its rows fit the earlier tables, also where a copy was read.
    expect((await readBackupHeader(path)).schema).toBe(1);
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(from.db);
    expect(rows.map(({ name }) => name)).toEqual(['0001-first-tables']);
    await restoreBackup(path, to);
    expect(await to.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: accountId }]);
  });

  test('restoreBackup: sessions do not come alive again, also not those of an earlier version’s backup', async () => {
    const [from, to] = [await openTestDatabase(kind), await openTestDatabase(kind)];
    const { accountId } = await makeAccount(from);
    const bytes = { bytes: Buffer.alloc(16).toString('base64url') };
    const session = {
      id: bytes,
      account_id: accountId,
      token_seed: bytes,
      generation: 1,
      rotated_at: 1,
      created_at: 1,
    };
    await addSession(from, accountId);
    const path = join(await backupFolder(), 'a.backup');
    await writeBackup(path, from, about);
    const lines = gunzipSync(readFileSync(path))
      .toString('utf8')
      .split(/(?<=\n)/);
    expect(lines.join('')).not.toContain('"sessions"');
    const old = join(await backupFolder(), 'old.backup');
    const line = JSON.stringify(['sessions', { ...session, refreshed_at: 1, expires_at: 9e15 }]);
    await pack(old, [...lines.slice(0, -1), `${line}\n`, ...lines.slice(-1)]);
    await restoreBackup(old, to);
    expect(await to.db.selectFrom('sessions').selectAll().execute()).toEqual([]);
    expect(await to.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: accountId }]);
  });

  test.each([
    ['a line without an end', () => [firstLine(), ...Array.from({ length: 3_000 }, () => 'x'.repeat(65_536))]],
    ['brackets without an end', () => [firstLine(), '['.repeat(8_000_000)]],
    ['a million keys', () => [firstLine(), `{${Array.from({ length: 1e6 }, (_, key) => `"${key}":1`).join()}}`]],
    ['a later format', () => [firstLine(99)]],
    ['a row too few', () => [firstLine(), aRow, lastLine(2)]],
    ['a line behind the last', () => [firstLine(), aRow, lastLine(1), lastLine(1)]],
    ['no last line', () => [firstLine(), aRow]],
  ])('restoreBackup: %s is no backup, and keeps nothing out afterwards', async (_name, linesOf) => {
    const database = await openTestDatabase(kind);
    const folder = await backupFolder();
    await pack(join(folder, 'bomb'), linesOf());
    const before = process.memoryUsage().rss;
    expect(await complaintOf(restoreBackup(join(folder, 'bomb'), database))).toBe(
      'StartError: This file is not a whole backup of Sotto: nothing was restored.',
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * mebibyte);
    const source = await openTestDatabase(kind);
    await makeAccount(source);
    await writeBackup(join(folder, 'right'), source, about);
    expect(await restoreBackup(join(folder, 'right'), database)).toBe(2);
  });

  test('restoreBackup: as many rows as the last line says, and nothing behind it, is a backup', async () => {
    const database = await openTestDatabase(kind);
    const path = join(await backupFolder(), 'whole');
    await pack(path, [firstLine(), aRow, lastLine(1)]);
    expect(await restoreBackup(path, database)).toBe(1);
  });

  test('restoreBackup: large items go in small statements, small ones many at once, and all come back', async () => {
    const [from, to] = [await openTestDatabase(kind), await openTestDatabase(kind)];
    await using folder = await makeTemporaryFolder('backup');
    const [one, other] = [await makeAccount(from), await makeAccount(from)];
    const large = () => write(newId(), 1, { body: Buffer.from(randomBytes(mebibyte)).toString('base64url') });
    await one.send(one.batch({ items: Array.from({ length: largeItems }, large) }));
    await other.send(other.batch({ items: Array.from({ length: smallItems }, () => write(newId())) }));
    const path = join(folder.path, 'a.backup');
    const written = await writeBackup(path, from, { createdAtMs: 1, serverKeys: 'keys' });

    const { watched, inserts } = watchInserts(to);
    expect(await restoreBackup(path, watched)).toBe(written);
    expect(await itemsOf(to)).toEqual(await itemsOf(from));
    expect(Math.max(...inserts.map(({ length }) => length))).toBeLessThan(8 * mebibyte);
    expect(Math.max(...inserts.map(({ rows }) => rows))).toBe(200);
  });
});

test('readPackedLines: a line of 32 MiB is read, and of a longer one no more than that is kept', async () => {
  const folder = await backupFolder();
  const megabytes = (count: number) => Array.from({ length: count }, () => 'x'.repeat(mebibyte));
  await pack(join(folder, 'long'), [...megabytes(32), '\n', 'next\n']);
  await pack(join(folder, 'longer'), [...megabytes(34), '\n', 'next\n']);
  const lengthsOf = async (name: string) => {
    const lengths: number[] = [];
    for await (const line of readPackedLines(join(folder, name))) lengths.push(line.length);
    return lengths;
  };
  expect(await lengthsOf('long')).toEqual([32 * mebibyte, 4]);
  await expect(lengthsOf('longer')).rejects.toThrow('A line is longer than any of a backup.');
});

test('writeBackup: nothing is overwritten, and what fails leaves no file', async () => {
  const database = await openTestDatabase('sqlite');
  await makeAccount(database);
  const folder = await backupFolder();
  const path = join(folder, 'a.backup');
  await writeBackup(path, database, about);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const written = readFileSync(path);
  expect(await complaintOf(writeBackup(path, database, about))).toContain('a backup is never overwritten');
  expect(readFileSync(path)).toEqual(written);
  expect(await complaintOf(writeBackup(join(folder, 'none/c.backup'), database, about))).toContain('cannot be written');
  await sql`drop table turn_attempts`.execute(database.db);
  await expect(writeBackup(join(folder, 'b.backup'), database, about)).rejects.toThrow('no such table');
  expect(readdirSync(folder)).toEqual(['a.backup']);
});

test('writePackedLines: until all is on the disk there is only a part, then the name, then the name is on the disk', async () => {
  const folder = await backupFolder();
  const path = join(folder, 'a.backup');
  const steps: string[] = [];
  const note = (step: string) =>
    void steps.push(`${step}: ${readdirSync(folder).join()}`.replace(`${process.pid}`, 'N'));
  const handle = await fileSystem.promises.open(folder);
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { fsync } = fileSystem;
  const { rename } = fileSystem.promises;
  const sync: (this: typeof handle) => Promise<void> = Reflect.get(prototype, 'sync');
  const restore = () => {
    Object.assign(fileSystem, { fsync });
    Object.assign(fileSystem.promises, { rename });
    Object.assign(prototype, { sync });
    syncBuiltinESMExports();
  };
  onTestFinished(restore);
  Object.assign(fileSystem, {
    fsync: (...all: Parameters<typeof fsync>) => {
      note('bytes');
      fsync(...all);
    },
  });
  Object.assign(fileSystem.promises, {
    rename: async (...all: Parameters<typeof rename>) => {
      await rename(...all);
      note('named');
    },
  });
  Object.assign(prototype, {
    sync(this: typeof handle) {
      note('folder');
      return sync.call(this);
    },
  });
  syncBuiltinESMExports();
  async function* lines() {
    for (let line = 0; line < 3; line++) {
      yield randomBytes(100_000).join();
      note('line');
    }
  }
  await writePackedLines(path, lines());
  const part = 'a.backup.N.part';
  expect(steps).toEqual([
    ...Array.from({ length: 3 }, () => `line: ${part}`),
    `bytes: ${part}`,
    'named: a.backup',
    'folder: a.backup',
  ]);
  // A file that takes the name meanwhile keeps it.
  const other = join(folder, 'b.backup');
  async function* slowly() {
    yield 'a line\n';
    fileSystem.writeFileSync(other, 'of somebody else');
  }
  expect(await complaintOf(writePackedLines(other, slowly()))).toContain('a backup is never overwritten');
  expect([readdirSync(folder), readFileSync(other, 'utf8')]).toEqual([['a.backup', 'b.backup'], 'of somebody else']);
});

test.skipIf(noSmallDisks !== null)(
  `writeBackup: a full disk is said, keeps no half of a backup, and has the room back${withoutSmallDisks}`,
  async () => {
    const database = await openTestDatabase('sqlite');
    const device = await makeAccount(database);
    const large = write(newId(), 1, { body: Buffer.from(randomBytes(3 * mebibyte)).toString('base64url') });
    await device.send(device.batch({ items: [large] }));
    const disk = mountSmallDisk(mebibyte);
    expect(await complaintOf(writeBackup(join(disk, 'a.backup'), database, about))).toMatch(
      /^StartError: There is no room for .*: nothing was written\.$/,
    );
    expect(await complaintOf(openSqliteSnapshot(database.place.dataFolder, join(disk, 'a.backup')))).toMatch(
      /^StartError: There is no room beside .*: nothing was written\.$/,
    );
    expect(readdirSync(disk)).toEqual([]);
  },
);
