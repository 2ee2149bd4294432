import { CompiledQuery, type Kysely } from 'kysely';
import { type Bytes, equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { FrameTable, Schema } from '../storage/tables/schema.ts';
import { idKey } from './id-keys.ts';

/** Frames that follow each other in one transcript. */
export type FrameRun = {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  /** The number of the first frame. */
  readonly number: number;
  readonly count: number;
  /** The frames behind each other, all of one length. */
  readonly body: Uint8Array;
};

/** More frames than a row ever has. */
export const longestRun = 256;

/** Rows of one statement. */
const rowsPerInsert = { sqlite: 128, postgres: 256 } as const;
/** Statements that are sent before the first of them is answered: enough that the database never waits for the next one. */
const statementsAhead = 8;
const columns = ['turn_id', 'transcript_id', 'number', 'count', 'body'];
const texts = new Map<string, string>();

/**
 * Two processes that gather one transcript for a moment begin runs at one number. The longer run stays, because its writer goes
 * on behind it: so no later row stands behind a gap.
 */
const keepLonger = `on conflict (turn_id, transcript_id, number) do update set count = excluded.count, body = excluded.body
  where excluded.count > frames.count
  and length(excluded.body) * frames.count = length(frames.body) * excluded.count
  and substr(excluded.body, 1, length(frames.body)) = frames.body`;

/** Written by hand once for each length: Kysely would compile a thousand parameters anew five times a second. */
function insertText(kind: DatabaseKind, rows: number): string {
  const name = `${kind}${rows}`;
  let text = texts.get(name);
  if (text === undefined) {
    const place = (index: number) => (kind === 'postgres' ? `$${index + 1}` : '?');
    const row = (index: number) => `(${columns.map((_, column) => place(columns.length * index + column)).join(', ')})`;
    const values = Array.from({ length: rows }, (_, index) => row(index)).join(', ');
    text = `insert into frames (${columns.join(', ')}) values ${values} ${keepLonger}`;
    texts.set(name, text);
  }
  return text;
}

/** Powers of two, so that a few prepared texts serve every number of rows. */
function* cutRows(runs: readonly FrameRun[], longest: number): Generator<readonly FrameRun[]> {
  let start = 0;
  while (start < runs.length) {
    const left = runs.length - start;
    const length = left >= longest ? longest : 2 ** Math.floor(Math.log2(left));
    yield runs.slice(start, start + length);
    start += length;
  }
}

/**
 * Stores runs of frames; of two that begin at one number, the longer stays.
 *
 * @returns how many stand where others were stored with other bytes: a number is sealed once, so this is a fault.
 */
export async function storeFrames(trx: Kysely<Schema>, kind: DatabaseKind, runs: readonly FrameRun[]): Promise<number> {
  let differing = 0;
  let rest = runs;
  while (rest.length > 0) {
    const { first, again } = splitByPlace(rest);
    differing += await upsertFrames(trx, kind, first);
    rest = again;
  }
  return differing;
}

/** One statement of PostgreSQL writes no row twice; and two processes take rows in one order, so that neither waits in a ring. */
function splitByPlace(runs: readonly FrameRun[]): { readonly first: FrameRun[]; readonly again: FrameRun[] } {
  const byPlace = new Map<string, FrameRun>();
  const again: FrameRun[] = [];
  for (const run of runs) {
    const place = `${idKey(run.turnId)}${idKey(run.transcriptId)}${run.number}`;
    if (byPlace.has(place)) again.push(run);
    else byPlace.set(place, run);
  }
  const ordered = [...byPlace].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { first: ordered.map(([, run]) => run), again };
}

async function upsertFrames(trx: Kysely<Schema>, kind: DatabaseKind, runs: readonly FrameRun[]): Promise<number> {
  let differing = 0;
  const statements = [...cutRows(runs, rowsPerInsert[kind])];
  for (let start = 0; start < statements.length; start += statementsAhead) {
    const batch = statements.slice(start, start + statementsAhead);
    const counts = await Promise.all(batch.map((rows) => insertRows(trx, kind, rows)));
    for (const [index, rows] of batch.entries()) {
      if (counts[index] === rows.length) continue;
      for (const run of rows) if (await differsFromStored(trx, run)) differing += 1;
    }
  }
  return differing;
}

/** @returns how many rows are new or longer than before. */
async function insertRows(trx: Kysely<Schema>, kind: DatabaseKind, rows: readonly FrameRun[]): Promise<number> {
  const parameters = rows.flatMap((run) => [run.turnId, run.transcriptId, run.number, run.count, run.body]);
  const result = await trx.executeQuery(CompiledQuery.raw(insertText(kind, rows.length), parameters));
  return Number(result.numAffectedRows ?? rows.length);
}

/** One of two may be the beginning of the other. */
async function differsFromStored(trx: Kysely<Schema>, run: FrameRun): Promise<boolean> {
  const stored = await trx
    .selectFrom('frames')
    .select('body')
    .where('turn_id', '=', run.turnId)
    .where('transcript_id', '=', run.transcriptId)
    .where('number', '=', run.number)
    .executeTakeFirst();
  if (stored === undefined) return false;
  const shared = Math.min(stored.body.length, run.body.length);
  return !equalBytes(stored.body.subarray(0, shared), run.body.subarray(0, shared));
}

/** Where a transcript has to go on: the first number that is not stored. */
export async function firstMissingFrame(db: Kysely<Schema>, turnId: Bytes, transcriptId: Bytes): Promise<number> {
  const rows = await db
    .selectFrom('frames')
    .select(['number', 'count'])
    .where('turn_id', '=', turnId)
    .where('transcript_id', '=', transcriptId)
    .orderBy('number')
    .execute();
  let next = 0;
  for (const { number, count } of rows) {
    if (number > next) break;
    next = Math.max(next, number + count);
  }
  return next;
}

/** The frames of a row from a number on, cut out of its body. */
export function cutFrames(
  row: Pick<FrameTable, 'number' | 'count' | 'body'>,
  from: number,
): { readonly number: number; readonly frame: Uint8Array }[] {
  const length = row.body.length / row.count;
  const frames = [];
  for (let index = Math.max(0, from - row.number); index < row.count; index++) {
    frames.push({ number: row.number + index, frame: row.body.subarray(index * length, (index + 1) * length) });
  }
  return frames;
}
