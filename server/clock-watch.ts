import type { Kysely } from 'kysely';
import type { Log } from './log.ts';
import type { Database } from './storage/database.ts';
import type { Schema } from './storage/schema.ts';

const dayMs = 86_400_000;
/** As long as a relay may have been switched off without anybody asking whether its clock is right. */
const longestPauseMs = 7 * dayMs;
/** A clock that was set wrong is put right within this time; one that still says the same is believed. */
const steadyMs = 3 * dayMs;
const markName = 'clock';
const markIntervalMs = 600_000;

type Mark = {
  /** When the database was last in use by a clock that is believed. */
  readonly seenAtMs: number;
  /** When a clock far ahead of it was first seen, by that clock; null while the clock is believed. */
  readonly aheadSinceMs: number | null;
};

/**
 * Whether the machine's clock can be right, asked before anything is deleted because it expired: a clock that is months
 * ahead for one start would delete what nobody can bring back.
 */
export class ClockWatch {
  readonly #database: Database;
  readonly #log: Log;
  readonly #checkedAtMs: number | null;
  #mark: Mark | null = null;
  #writtenAtMs = -Infinity;
  #isSaid = false;

  /** @param checkedAtMs - A time that a person says has passed. */
  constructor(database: Database, log: Log, checkedAtMs: number | null) {
    this.#database = database;
    this.#log = log;
    this.#checkedAtMs = checkedAtMs;
  }

  async isBelieved(nowMs: number): Promise<boolean> {
    // Another replica may have written since.
    const { db } = this.#database;
    const before = (await readMark(db)) ?? { seenAtMs: await newestWrite(db), aheadSinceMs: null };
    const mark = judge({ ...before, seenAtMs: Math.max(before.seenAtMs, this.#checkedAtMs ?? 0) }, nowMs);
    await this.#keep(mark, nowMs);
    const isBelieved = mark.aheadSinceMs === null;
    if (!isBelieved && !this.#isSaid) {
      this.#log.warn('clock-far-ahead', {
        days: Math.round((nowMs - mark.seenAtMs) / dayMs),
        advice:
          'Nothing that expires is deleted for three days. If the clock is right, set CLOCK_CHECKED_ON to the date.',
      });
    }
    if (isBelieved && this.#isSaid) this.#log.warn('clock-believed');
    this.#isSaid = !isBelieved;
    return isBelieved;
  }

  async #keep(mark: Mark, nowMs: number): Promise<void> {
    const isSame = this.#mark?.aheadSinceMs === mark.aheadSinceMs;
    if (isSame && Math.abs(nowMs - this.#writtenAtMs) < markIntervalMs) return;
    const value = JSON.stringify(mark);
    await this.#database.db
      .insertInto('metadata')
      .values({ name: markName, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute();
    this.#mark = mark;
    this.#writtenAtMs = nowMs;
  }
}

/** @returns the mark as it is to be kept; it says by `aheadSinceMs` whether the clock is believed. */
export function judge({ aheadSinceMs, seenAtMs }: Mark, nowMs: number): Mark {
  if (nowMs - seenAtMs <= longestPauseMs) return { seenAtMs: nowMs, aheadSinceMs: null };
  // Set back since, or far ahead of the first time as well: it is another wrong clock.
  const isSteady = aheadSinceMs !== null && nowMs >= aheadSinceMs && nowMs - aheadSinceMs <= steadyMs + longestPauseMs;
  if (!isSteady) return { seenAtMs, aheadSinceMs: nowMs };
  return nowMs - aheadSinceMs >= steadyMs ? { seenAtMs: nowMs, aheadSinceMs: null } : { seenAtMs, aheadSinceMs };
}

async function readMark(db: Kysely<Schema>): Promise<Mark | null> {
  const row = await db.selectFrom('metadata').select('value').where('name', '=', markName).executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.value) as Mark);
}

/** For a database that has no mark yet: when something was last written into it. */
async function newestWrite(db: Kysely<Schema>): Promise<number> {
  const newest = await Promise.all([
    db
      .selectFrom('sessions')
      .select(({ fn }) => fn.max('refreshed_at').as('at'))
      .executeTakeFirst(),
    db
      .selectFrom('heads')
      .select(({ fn }) => fn.max('stored_at').as('at'))
      .executeTakeFirst(),
    db
      .selectFrom('turns')
      .select(({ fn }) => fn.max('started_at').as('at'))
      .executeTakeFirst(),
  ]);
  const times = newest.map((row) => row?.at ?? null).filter((at) => at !== null);
  // An empty one has nothing to lose.
  return times.length === 0 ? Number.MAX_SAFE_INTEGER : Math.max(...times);
}
