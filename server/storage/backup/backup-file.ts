import { sql, type Transaction } from 'kysely';
import * as v from 'valibot';
import { parseStrictJson } from '../../../crypto/protocol/json/strict-json.ts';
import { StartError } from '../../../process/start-error.ts';
import type { Database } from '../tables/database.ts';
import { newestSchema, storedSchema } from '../migrations/migrate.ts';
import { readPackedLines } from './packed-lines.ts';
import { writePackedLines } from './part-file.ts';
import type { Schema } from '../tables/schema.ts';

/*
 * Format 1: gzip over lines of JSON. The first line is the header, each next one a row as [table, {column: value}] with
 * bytes as {"bytes": base64url}, the last the number of rows of each table. Rows are those of storage/tables/schema.ts, alike
 * for both databases, so that a backup of one can be restored into the other.
 */

/** Each table with its primary key, parents before children: restoring in this order satisfies every foreign key. */
const keptTables = {
  accounts: ['id'],
  keyslots: ['account_id', 'slot_id'],
  heads: ['account_id', 'counter'],
  items: ['account_id', 'id'],
  pruned_items: ['account_id', 'id'],
  turns: ['id'],
  turn_attempts: ['turn_id', 'number'],
  transcripts: ['turn_id', 'transcript_id'],
  frames: ['turn_id', 'transcript_id', 'number'],
  metadata: ['name'],
} as const satisfies Partial<Record<keyof Schema, readonly string[]>>;
type KeptTable = keyof typeof keptTables;
/** The storage schema that brought a table; a database that is older has none to read. All others are of the first. */
const firstSchemas: Partial<Record<KeptTable, number>> = { pruned_items: 5 };
const tables = Object.keys(keptTables) as [KeptTable, ...KeptTable[]];
/**
 * Short-lived rows, counters of attempts and sessions are left out: a session that ended after the backup must not come alive
 * again. Backups of earlier versions have them, and restoring passes over them. The type fails when a table is in neither list.
 */
const leftOut = [
  'sessions',
  'login_attempts',
  'step_ups',
  'recovery_challenges',
  'rate_counters',
  'enclave_sessions',
] as const satisfies readonly Exclude<keyof Schema, KeptTable>[];
export type ForgottenTable = Exclude<keyof Schema, KeptTable | (typeof leftOut)[number]>;

/** A row has some twenty columns; an item may have 16 MiB, 22 million characters in base64url. */
const lineBudget = { depth: 4, values: 64, keyLength: 64, textLength: 24_000_000 };
const openingBrace = 0x7b;

/** An item may have 16 MiB, and no driver takes a statement of a gigabyte: pages and inserts stay small. */
const rowsPerPage = (table: KeptTable) => (table === 'items' ? 8 : 200);
const insertLimit = { rows: 200, length: 8 * 2 ** 20 };

const header = v.strictObject({
  format: v.literal('sotto-backup-1'),
  createdAtMs: v.number(),
  /** Storage schema that the rows fit: a newer Sotto migrates on from there. */
  schema: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(newestSchema)),
  /** The server key string: without it nobody of the backup could sign in. */
  serverKeys: v.string(),
});
export type BackupHeader = v.InferOutput<typeof header>;

const cell = v.union([v.string(), v.number(), v.null(), v.strictObject({ bytes: v.string() })]);
const row = v.strictTuple([v.picklist([...tables, ...leftOut]), v.record(v.string(), cell)]);
const footer = v.strictObject({ rows: v.record(v.string(), v.number()) });
type Cell = v.InferOutput<typeof cell>;

/**
 * Writes the whole database as it is at one moment; the relay may go on writing.
 *
 * @returns the number of rows written.
 * @throws {StartError} when the file exists already or cannot be written.
 */
export async function writeBackup(
  path: string,
  database: Database,
  about: Pick<BackupHeader, 'createdAtMs' | 'serverKeys'>,
): Promise<number> {
  const counts: Record<string, number> = {};
  await database.read(async (snapshot) => {
    const schema = await storedSchema(snapshot);
    await writePackedLines(path, linesOf(snapshot, { format: 'sotto-backup-1', schema, ...about }, counts));
  });
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function* linesOf(
  snapshot: Transaction<Schema>,
  first: BackupHeader,
  counts: Record<string, number>,
): AsyncGenerator<string> {
  yield `${JSON.stringify(first)}\n`;
  for (const table of tables) {
    if (first.schema < (firstSchemas[table] ?? 1)) continue;
    counts[table] = 0;
    for await (const page of pagesOf(snapshot, table)) {
      for (const each of page) yield `${JSON.stringify([table, encodeRow(each)])}\n`;
      counts[table] += page.length;
    }
  }
  yield `${JSON.stringify({ rows: counts })}\n`;
}

/** Pages along the primary key. */
async function* pagesOf(snapshot: Transaction<Schema>, table: KeptTable): AsyncGenerator<Record<string, unknown>[]> {
  const columns = keptTables[table];
  const pageLength = rowsPerPage(table);
  const key = sql.join(columns.map((column) => sql.ref(column)));
  let after = sql``;
  for (;;) {
    const { rows } = await sql<Record<string, unknown>>`
      SELECT * FROM ${sql.table(table)} ${after} ORDER BY ${key} LIMIT ${sql.lit(pageLength)}
    `.execute(snapshot);
    const last = rows.at(-1);
    if (last !== undefined) yield rows;
    if (last === undefined || rows.length < pageLength) return;
    after = sql`WHERE (${key}) > (${sql.join(columns.map((column) => sql.val(last[column])))})`;
  }
}

/**
 * The header of a backup, for whoever has to know about it before anything is restored.
 *
 * @throws {StartError} when the file is not a backup.
 */
export async function readBackupHeader(path: string): Promise<BackupHeader> {
  for await (const line of readLines(path)) return parse(header, line);
  throw broken();
}

/**
 * Fills empty tables with the rows of a backup, whole or not at all. The tables must be migrated already.
 *
 * @returns the number of rows restored.
 * @throws {StartError} when the database is not empty, or the file is not a whole backup.
 */
export async function restoreBackup(path: string, database: Database): Promise<number> {
  return database.write(async (transaction) => {
    await refuseUnlessEmpty(transaction);
    const counts: Record<string, number> = {};
    let seenHeader = false;
    let expected: Record<string, number> | undefined;
    let pending: { table: KeptTable; rows: Record<string, unknown>[]; length: number } | undefined;
    const flush = async () => {
      if (pending === undefined) return;
      await transaction
        .insertInto(pending.table)
        .values(pending.rows as never)
        .execute();
      pending = undefined;
    };
    for await (const line of readLines(path)) {
      if (expected !== undefined) throw broken();
      if (!seenHeader) {
        parse(header, line);
        seenHeader = true;
      } else if (line[0] === openingBrace) {
        expected = parse(footer, line).rows;
      } else {
        const [table, cells] = parse(row, line);
        if (!isKept(table)) continue;
        const isFull =
          pending !== undefined && (pending.rows.length >= insertLimit.rows || pending.length >= insertLimit.length);
        if (isFull || pending?.table !== table) await flush();
        pending ??= { table, rows: [], length: 0 };
        pending.rows.push(decodeRow(cells));
        pending.length += line.length;
        counts[table] = (counts[table] ?? 0) + 1;
      }
    }
    await flush();
    // Without its last line a backup was cut: better none than half of one.
    if (expected === undefined || tables.some((table) => (expected[table] ?? 0) !== (counts[table] ?? 0))) {
      throw broken();
    }
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  });
}

async function refuseUnlessEmpty(transaction: Transaction<Schema>): Promise<void> {
  for (const table of tables) {
    const { rows } = await sql`SELECT 1 FROM ${sql.table(table)} LIMIT 1`.execute(transaction);
    if (rows.length > 0) {
      throw new StartError('The database is not empty: a backup is restored into an empty one only.');
    }
  }
}

async function* readLines(path: string): AsyncGenerator<Buffer> {
  try {
    yield* readPackedLines(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new StartError(`${path} is not there.`);
    if (code === 'EACCES') throw new StartError(`${path} cannot be read.`);
    throw broken();
  }
}

function isKept(table: string): table is KeptTable {
  return Object.hasOwn(keptTables, table);
}

function parse<Message extends v.GenericSchema>(schema: Message, line: Buffer): v.InferOutput<Message> {
  try {
    return v.parse(schema, parseStrictJson(new Uint8Array(line.buffer, line.byteOffset, line.length), lineBudget));
  } catch {
    throw broken();
  }
}

function broken(): StartError {
  return new StartError('This file is not a whole backup of Sotto: nothing was restored.');
}

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function decodeBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw broken();
  return bytes;
}

function encodeRow(columns: Record<string, unknown>): Record<string, Cell> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? { bytes: bufferOf(value).toString('base64url') } : (value as Cell),
    ]),
  );
}

function decodeRow(cells: Record<string, Cell>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(cells).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null ? decodeBytes(value.bytes) : value,
    ]),
  );
}
