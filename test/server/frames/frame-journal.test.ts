import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bytes, randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Database } from '../../../server/storage/tables/database.ts';
import { FrameJournal } from '../../../server/frames/frame-journal.ts';
import { cutFrames, firstMissingFrame } from '../../../server/frames/frame-rows.ts';
import { quietLog } from '../../parts/relay/in-process/quiet-log.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';

describe.each(databaseKinds)('FrameJournal on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  const rowsOf = (turnId: Bytes) =>
    database.db.selectFrom('frames').selectAll().where('turn_id', '=', turnId).orderBy('number').execute();

  async function countOf({ db }: Pick<Database, 'db'>): Promise<number> {
    const { count } = await db
      .selectFrom('frames')
      .select((eb) => eb.fn.countAll().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async function storedOf(turnId: Bytes): Promise<{ number: number; frame: Uint8Array }[]> {
    return (await rowsOf(turnId)).flatMap((row) => cutFrames(row, row.number));
  }

  type Frame = { readonly turnId: Bytes; readonly transcriptId: Bytes; readonly number: number; readonly body: Bytes };

  function framesOf(count: number, length = 272): Frame[] {
    const [turnId, transcriptId] = [randomBytes(16), randomBytes(16)];
    return Array.from({ length: count }, (_, number) => ({ turnId, transcriptId, number, body: randomBytes(length) }));
  }

  function add(journal: FrameJournal, frames: readonly Frame[]): boolean[] {
    return frames.map(({ turnId, transcriptId, number, body }) => journal.addFrame(turnId, transcriptId, number, body));
  }

  test.each([1, 2, 3, 10, 255, 256, 257, 600])('stores %i frames as they came', async (count) => {
    const journal = new FrameJournal(database, quietLog());
    const frames = framesOf(count);
    add(journal, frames);
    await journal.flush();
    const rows = await storedOf(frames[0]!.turnId);
    expect(rows.map((row) => row.number)).toEqual(frames.map((frame) => frame.number));
    const sent = Buffer.concat(frames.map((frame) => frame.body));
    expect(Buffer.concat(rows.map((row) => row.frame)).equals(sent)).toBe(true);
  });

  test.each([1, 63, 64, 65, 129, 300])('stores frames of %i turns in one go', async (count) => {
    const journal = new FrameJournal(database, quietLog());
    const turns = Array.from({ length: count }, () => framesOf(3));
    add(journal, turns.flat());
    await journal.flush();
    const numbers = await Promise.all(turns.map((frames) => storedOf(frames[0]!.turnId)));
    expect(numbers.every((frames) => frames.length === 3)).toBe(true);
  });

  test('frames of two lengths, and numbers that do not follow, stay apart', async () => {
    const journal = new FrameJournal(database, quietLog());
    const [frames, longer] = [framesOf(6), framesOf(6, 1040)];
    const mixed = [0, 1, 2, 4, 5].map((number) => ({
      ...frames[number]!,
      body: (number < 2 ? frames : longer)[number]!.body,
    }));
    add(journal, mixed);
    await journal.flush();
    const stored = await storedOf(frames[0]!.turnId);
    expect(stored.map((row) => row.number)).toEqual([0, 1, 2, 4, 5]);
    for (const [index, { frame }] of stored.entries()) expect(Buffer.from(frame).equals(mixed[index]!.body)).toBe(true);
  });

  test('writes by itself, for all turns together', async () => {
    let writes = 0;
    const counting: Database = { ...database, writeAside: (work) => ((writes += 1), database.writeAside(work)) };
    const journal = new FrameJournal(counting, quietLog());
    const turns = Array.from({ length: 40 }, () => framesOf(9));
    add(journal, turns.flat());
    await until(() => journal.isIdle);
    for (const frames of turns) expect(await storedOf(frames[0]!.turnId)).toHaveLength(9);
    expect(writes).toBeLessThan(10);
  });

  test('with very many turns a write takes a part of what is due, and the next ones follow until all is stored', async () => {
    const lengths: number[] = [];
    const counting: Database = {
      ...database,
      writeAside: async (work) => {
        const before = await countOf(database);
        const result = await database.writeAside(work);
        lengths.push((await countOf(database)) - before);
        return result;
      },
    };
    const journal = new FrameJournal(counting, quietLog());
    const turns = Array.from({ length: 700 }, () => framesOf(2));
    add(journal, turns.flat());
    await until(() => journal.isIdle);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(700);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(192);
    const stored = await Promise.all(turns.map((frames) => storedOf(frames[0]!.turnId)));
    expect(stored.every((frames) => frames.length === 2)).toBe(true);
  });

  test('flush: all who wait during a write are served by the next one, while more keeps coming', async () => {
    let writes = 0;
    const others = framesOf(100);
    const busy: Database = {
      ...database,
      writeAside: (work) => {
        add(journal, others.slice(writes, writes + 1));
        writes += 1;
        return database.writeAside(work);
      },
    };
    const journal = new FrameJournal(busy, quietLog());
    const turns = Array.from({ length: 20 }, () => framesOf(2));
    const flushes = turns.map((frames) => {
      add(journal, frames);
      return journal.flush();
    });
    await Promise.all(flushes);
    expect(writes).toBe(2);
    for (const [{ turnId }] of turns as [Frame][]) expect(await storedOf(turnId)).toHaveLength(2);
    await journal.close();
  });

  test('a database that fails for a while loses nothing', async () => {
    let failures = 3;
    const failing: Database = {
      ...database,
      writeAside: (work) => (failures-- > 0 ? Promise.reject(new Error('away')) : database.writeAside(work)),
    };
    const log = quietLog();
    const journal = new FrameJournal(failing, log);
    const frames = framesOf(6);
    add(journal, frames.slice(0, 3));
    await journal.flush();
    add(journal, frames.slice(3));
    await journal.flush();
    expect(await rowsOf(frames[0]!.turnId)).toHaveLength(0);
    await until(() => journal.isIdle);
    expect((await storedOf(frames[0]!.turnId)).map((row) => row.number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(log.codes).toEqual(['journal-failed']);
  });

  test('buffers that are used again hold the frames of one turn at a time, also after a write that failed', async () => {
    let failures = 0;
    const failing: Database = {
      ...database,
      writeAside: (work) => (failures-- > 0 ? Promise.reject(new Error('away')) : database.writeAside(work)),
    };
    const journal = new FrameJournal(failing, quietLog());
    const turns: Frame[][] = [];
    for (const isFailing of [false, true, false, false, true, false]) {
      const frames = Array.from({ length: 5 }, () => framesOf(7));
      turns.push(...frames);
      failures = isFailing ? 1 : 0;
      add(journal, frames.flat());
      await journal.flush();
    }
    for (const frames of turns) {
      const stored = await storedOf(frames[0]!.turnId);
      expect(stored.map(({ frame }) => Buffer.from(frame).toString('hex'))).toEqual(
        frames.map(({ body }) => Buffer.from(body).toString('hex')),
      );
    }
    await journal.close();
  });

  test('takes no more than it can hold, and more again afterwards', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const stuck: Database = { ...database, writeAside: (work) => gate.then(() => database.writeAside(work)) };
    const journal = new FrameJournal(stuck, quietLog());
    const frames = framesOf(80, 1024 * 1024);
    const taken = add(journal, frames);
    expect(taken.filter(Boolean)).toHaveLength(64);
    expect(journal.hasRoom).toBe(false);
    open();
    await journal.flush();
    expect(journal.hasRoom).toBe(true);
    expect(await firstMissingFrame(database.db, frames[0]!.turnId, frames[0]!.transcriptId)).toBe(64);
    add(journal, frames.slice(64));
    await journal.flush();
    expect(await firstMissingFrame(database.db, frames[0]!.turnId, frames[0]!.transcriptId)).toBe(80);
  });

  test.each([
    { stored: [], missing: 0 },
    { stored: [0], missing: 1 },
    { stored: [0, 1, 2], missing: 3 },
    { stored: [1, 2], missing: 0 },
    { stored: [0, 2, 3], missing: 1 },
    { stored: [0, 1, 5, 6, 9], missing: 2 },
  ])('the first missing of $stored is $missing', async ({ stored, missing }) => {
    const journal = new FrameJournal(database, quietLog());
    const frames = framesOf(10);
    add(
      journal,
      stored.map((number) => frames[number]!),
    );
    await journal.flush();
    expect(await firstMissingFrame(database.db, frames[0]!.turnId, frames[0]!.transcriptId)).toBe(missing);
  });
});
