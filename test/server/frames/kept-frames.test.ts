import { sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeReasons } from '../../../crypto/protocol/messages/live-record.ts';
import { type Bytes, randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Schema } from '../../../server/storage/tables/schema.ts';
import { endTurns } from '../../../server/frames/end-turns.ts';
import { FrameJournal } from '../../../server/frames/frame-journal.ts';
import { cutFrames, firstMissingFrame, storeFrames } from '../../../server/frames/frame-rows.ts';
import { insertTranscript, type TranscriptGap } from '../../../server/frames/transcript-rows.ts';
import { finishTurns } from '../../../server/vault/finish-turns.ts';
import { quietLog } from '../../parts/relay/in-process/quiet-log.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';
import { makeAccount } from '../../parts/users/without-keys/vault-device.ts';

type Trx = Transaction<Schema>;
type Work<Result> = (trx: Trx) => Promise<Result>;
type Frame = { readonly turnId: Bytes; readonly transcriptId: Bytes; readonly number: number; readonly body: Bytes };

function framesOf(count: number): Frame[] {
  const [turnId, transcriptId] = [randomBytes(16), randomBytes(16)];
  return Array.from({ length: count }, (_, number) => ({ turnId, transcriptId, number, body: randomBytes(272) }));
}

async function write(journal: FrameJournal, frames: readonly Frame[]): Promise<void> {
  for (const { turnId, transcriptId, number, body } of frames) journal.addFrame(turnId, transcriptId, number, body);
  await journal.flush();
}

async function insertTurn(database: TestDatabase): Promise<{ accountId: string; turnId: Bytes }> {
  const turnId = randomBytes(16);
  const { accountId } = await makeAccount(database);
  await database.db
    .insertInto('turns')
    .values({
      id: turnId,
      account_id: accountId,
      state: 'running',
      enclave_id: 'e',
      model: 'm',
      started_at: 1,
      ended_at: null,
      attempts: 1,
      request_length: 1,
      stops: 0,
      stored_bytes: 0,
      temporary: 1,
      lease_owner: 'its owner',
      lease_until: 1,
    })
    .execute();
  return { accountId, turnId };
}

describe.each(databaseKinds)('runs of frames of two processes on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  async function storedOf({ turnId, transcriptId }: Frame) {
    const rows = await database.db
      .selectFrom('frames')
      .selectAll()
      .where('turn_id', '=', turnId)
      .orderBy('number')
      .execute();
    const bodies = rows.flatMap((row) => cutFrames(row, row.number)).map(({ frame }) => Buffer.from(frame));
    return { missing: await firstMissingFrame(database.db, turnId, transcriptId), bytes: Buffer.concat(bodies) };
  }

  const bytesOf = (frames: readonly Frame[]) => Buffer.concat(frames.map((frame) => frame.body));

  test.each([
    { first: 5, second: 9 },
    { first: 9, second: 5 },
    { first: 1, second: 256 },
    { first: 7, second: 7 },
  ])('the longer of two runs, $first and $second frames from one number, stays', async ({ first, second }) => {
    const log = quietLog();
    const [dying, living] = [new FrameJournal(database, log), new FrameJournal(database, log)];
    const longest = Math.max(first, second);
    const frames = framesOf(longest + 4);
    await write(dying, frames.slice(0, first));
    await write(living, frames.slice(0, second));
    await write(first > second ? dying : living, frames.slice(longest));
    const stored = await storedOf(frames[0]!);
    expect(stored.missing).toBe(longest + 4);
    expect(stored.bytes.equals(bytesOf(frames))).toBe(true);
    expect(log.codes).toEqual([]);
  });

  test('a longer run with other bytes is a fault in the log, and what was stored first stays', async () => {
    const log = quietLog();
    const frames = framesOf(9);
    await write(new FrameJournal(database, log), frames.slice(0, 5));
    const forged = frames.map((frame, index) => (index === 2 ? { ...frame, body: randomBytes(272) } : frame));
    await write(new FrameJournal(database, log), forged);
    const stored = await storedOf(frames[0]!);
    expect(stored.bytes.equals(bytesOf(frames.slice(0, 5)))).toBe(true);
    expect(log.codes).toEqual(['frame-differs']);
  });

  test('a longer run that begins alike, of frames of another length, does not replace what is stored', async () => {
    const frames = framesOf(4);
    const stored = bytesOf(frames);
    const { transcriptId, turnId } = frames[0]!;
    const run = { turnId, transcriptId, number: 0, count: 4, body: stored };
    const other = { ...run, count: 9, body: Buffer.concat([stored, randomBytes(136)]) };
    await database.write((trx) => storeFrames(trx, kind, [run]));
    await database.write((trx) => storeFrames(trx, kind, [other]));
    expect(await storedOf(frames[0]!)).toEqual({ missing: 4, bytes: stored });
    // One more of the same length does.
    const longer = { ...run, count: 5, body: Buffer.concat([stored, randomBytes(272)]) };
    await database.write((trx) => storeFrames(trx, kind, [longer]));
    expect(await storedOf(frames[0]!)).toEqual({ missing: 5, bytes: longer.body });
  });

  test('one write may hold two runs from one number', async () => {
    const log = quietLog();
    const journal = new FrameJournal(database, log);
    const frames = framesOf(9);
    await write(journal, [...frames.slice(0, 3), ...frames, ...frames.slice(0, 2)]);
    const stored = await storedOf(frames[0]!);
    expect(stored.missing).toBe(9);
    expect(log.codes).toEqual([]);
  });

  async function makeTurn() {
    const { accountId, turnId } = await insertTurn(database);
    const gaps: TranscriptGap[] = [];
    const ended: Bytes[] = [];
    const open: Bytes[] = [];
    const journal = new FrameJournal(database, quietLog());
    journal.listen({
      missing: (gap) => gaps.push(gap),
      ended: (id) => ended.push(id),
      open: (turn) => open.push(turn.turnId),
    });
    const transcriptId = randomBytes(16);
    journal.addHeader({ turnId, transcriptId, enclaveId: 'e', header: randomBytes(131) });
    const frames = framesOf(9).map((frame) => ({ ...frame, turnId, transcriptId }));
    const end = { turnId, accountId, owner: 'its owner', state: 'ended', endedAtMs: 2 } as const;
    const closedAs = async () => {
      const row = await database.db
        .selectFrom('transcripts')
        .select('closed')
        .where('turn_id', '=', turnId)
        .executeTakeFirstOrThrow();
      return row.closed;
    };
    return { journal, turnId, transcriptId, frames, end, gaps, ended, open, closedAs };
  }

  test('a transcript with a gap is not closed, nor its turn ended, until the gap is filled', async () => {
    const { closedAs, end, ended, frames, gaps, journal, open, transcriptId, turnId } = await makeTurn();
    const close = { turnId, transcriptId, reason: 'final', frames: 9, owner: 'its owner' } as const;
    journal.addClose(close);
    journal.addEnd(end);
    await write(journal, [...frames.slice(0, 3), ...frames.slice(5)]);
    expect(gaps).toEqual([{ turnId, transcriptId, from: 3 }]);
    expect(await closedAs()).toBeNull();
    expect([ended, open]).toEqual([[], [turnId]]);
    journal.addClose(close);
    journal.addEnd(end);
    await write(journal, frames.slice(3, 5));
    expect(gaps).toHaveLength(1);
    expect(await closedAs()).toBe(closeReasons.final);
    expect(ended).toEqual([turnId]);
  });

  test('only the owner of a turn gives a transcript up; that it is whole, anybody may say', async () => {
    const { closedAs, frames, journal, transcriptId, turnId } = await makeTurn();
    await write(journal, frames);
    const ids = { turnId, transcriptId, frames: 9 };
    journal.addClose({ ...ids, reason: 'lost', owner: 'another' });
    await journal.flush();
    expect(await closedAs()).toBeNull();
    journal.addClose({ ...ids, reason: 'lost', owner: 'its owner' });
    await journal.flush();
    expect(await closedAs()).toBe(closeReasons.lost);
    journal.addClose({ ...ids, reason: 'final', owner: 'another' });
    await journal.flush();
    expect(await closedAs()).toBe(closeReasons.final);
    // Its owner heard of an enclave that has let go of it since.
    journal.addClose({ ...ids, reason: 'gone', owner: 'its owner' });
    await journal.flush();
    expect(await closedAs()).toBe(closeReasons.final);
  });
});

/** Runs two transactions that meet: the second one begins while the first is not committed. */
async function meet<A, B>(database: TestDatabase, first: Work<A>, second: Work<B>): Promise<[A, B]> {
  const isWaiting = sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  const [began, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const one = database.write(async (trx) => {
    const result = await first(trx);
    began.resolve();
    await mayCommit.promise;
    return result;
  });
  await began.promise;
  let isOver = false;
  const two = database.write(second).finally(() => (isOver = true));
  await until(async () => isOver || (await isWaiting.execute(database.db)).rows.length > 0);
  mayCommit.resolve();
  return Promise.all([one, two]);
}

describe('a relay that stores a transcript of a turn that another one ends', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase('postgres');
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  async function makeWorks() {
    const { accountId, turnId } = await insertTurn(database);
    const end = { turnId, accountId, owner: 'its owner', state: 'ended', endedAtMs: 2 } as const;
    const entry = { turnId, transcriptId: randomBytes(16), enclaveId: 'e', header: randomBytes(131) };
    return {
      end,
      store: (trx: Trx) => insertTranscript(trx, 'postgres', entry, 1),
      endIt: (trx: Trx) => endTurns(trx, 'postgres', [end]),
      finish: (trx: Trx) => finishTurns(trx, accountId, [turnId], 2),
      found: async () => {
        const { db } = database;
        const { state } = await db
          .selectFrom('turns')
          .select('state')
          .where('id', '=', turnId)
          .executeTakeFirstOrThrow();
        const transcripts = await db.selectFrom('transcripts').select('closed').where('turn_id', '=', turnId).execute();
        return { state, transcripts: transcripts.length };
      },
    };
  }

  test('first: the turn is not over', async () => {
    const { end, endIt, found, store } = await makeWorks();
    expect(await meet(database, store, endIt)).toEqual([undefined, [end]]);
    expect(await found()).toEqual({ state: 'running', transcripts: 1 });
  });

  test('second: the turn takes it no more', async () => {
    const { endIt, found, store } = await makeWorks();
    expect(await meet(database, endIt, store)).toEqual([[], undefined]);
    expect(await found()).toEqual({ state: 'ended', transcripts: 0 });
  });

  test.each([true, false])('while a device finishes it: no transcript is left (stored first: %s)', async (isFirst) => {
    const { finish, found, store } = await makeWorks();
    await (isFirst ? meet(database, store, finish) : meet(database, finish, store));
    expect(await found()).toEqual({ state: 'ended', transcripts: 0 });
  });
});
