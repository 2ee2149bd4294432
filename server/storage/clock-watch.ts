import type { Kysely } from 'kysely';
import * as v from 'valibot';
import type { Log } from '../../process/event-log.ts';
import type { Database } from './tables/database.ts';
import type { Schema } from './tables/schema.ts';

const dayMs = 86_400_000;
/** A relay may have been switched off, or set back, this long without anybody asking if its clock is right. */
const longestPauseMs = 7 * dayMs;
/** A clock that was set wrong is put right within this time; one that still says the same is believed. */
const steadyMs = 3 * dayMs;
const markName = 'clock';
const markIntervalMs = 600_000;

type Mark = {
  /** When the database was last in use by a clock that is believed. */
  readonly seenAtMs: number;
  /** When a clock far from it was first seen, by that clock; null while the clock is believed. */
  readonly strangeSinceMs: number | null;
};

/** Decides if something is over: an end is set by the later of two clocks and judged by the earlier. */
export type Clock = {
  /** The time by which something may be over: never that of a clock that jumped far ahead. */
  earliest(nowMs: number): number;
  /** The time from which something lives on: never that of a clock that fell far behind. */
  latest(nowMs: number): number;
};

/**
 * Judges if the machine's clock can be right, before anything is deleted or ended because it expired. A clock that is months
 * ahead for one start would take what nobody can bring back. One that is behind would date it into the past.
 */
export class ClockWatch implements Clock {
  readonly #database: Database;
  readonly #log: Log;
  readonly #checkedAtMs: number | null;
  #mark: Mark | null = null;
  #writtenAtMs = -Infinity;
  #isSaid = false;
  /** A time that was believed, and this machine's count of time then, which no clock moves. */
  #anchor: { readonly atMs: number; readonly countMs: number } | null = null;

  /** @param checkedAtMs - A time that a person says has passed. */
  constructor(database: Database, log: Log, checkedAtMs: number | null) {
    this.#database = database;
    this.#log = log;
    this.#checkedAtMs = checkedAtMs;
  }

  /** Looks at the clock and at the database; before the first look every clock is believed. */
  async isBelieved(nowMs: number): Promise<boolean> {
    // Another replica may have written since.
    const { db } = this.#database;
    const before = (await readMark(db)) ?? { seenAtMs: (await newestWrite(db)) ?? nowMs, strangeSinceMs: null };
    const mark = this.#isStated(nowMs) ? { seenAtMs: nowMs, strangeSinceMs: null } : judge(before, nowMs);
    await this.#keep(mark, nowMs);
    const isBelieved = mark.strangeSinceMs === null;
    if (isBelieved || this.#anchor === null) this.#anchor = { atMs: mark.seenAtMs, countMs: performance.now() };
    if (!isBelieved && !this.#isSaid) {
      const isAhead = nowMs > mark.seenAtMs;
      this.#log.warn(isAhead ? 'clock-far-ahead' : 'clock-far-behind', {
        days: Math.round(Math.abs(nowMs - mark.seenAtMs) / dayMs),
        advice:
          'Nothing that expires is deleted for three days. If the clock is right, set CLOCK_CHECKED_ON to the date.',
      });
    }
    if (isBelieved && this.#isSaid) this.#log.warn('clock-believed');
    this.#isSaid = !isBelieved;
    return isBelieved;
  }

  earliest(nowMs: number): number {
    return Math.min(nowMs, this.#steady(nowMs));
  }

  latest(nowMs: number): number {
    return Math.max(nowMs, this.#steady(nowMs));
  }

  /** The clock itself as long as it can be right, else the time that has passed since it was. */
  #steady(nowMs: number): number {
    if (this.#anchor === null || this.#isStated(nowMs)) return nowMs;
    const steadyMs = Math.floor(this.#anchor.atMs + performance.now() - this.#anchor.countMs);
    return Math.abs(nowMs - steadyMs) <= longestPauseMs ? nowMs : steadyMs;
  }

  #isStated(nowMs: number): boolean {
    const checkedAtMs = this.#checkedAtMs ?? Infinity;
    return nowMs >= checkedAtMs && nowMs - checkedAtMs <= longestPauseMs;
  }

  async #keep(mark: Mark, nowMs: number): Promise<void> {
    const isSame = this.#mark?.strangeSinceMs === mark.strangeSinceMs;
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

/** @returns the mark as it is to be kept; it says by `strangeSinceMs` whether the clock is believed. */
export function judge({ seenAtMs, strangeSinceMs }: Mark, nowMs: number): Mark {
  if (Math.abs(nowMs - seenAtMs) <= longestPauseMs) return { seenAtMs: nowMs, strangeSinceMs: null };
  const sinceMs = strangeSinceMs === null ? -1 : nowMs - strangeSinceMs;
  // Set back since, or far ahead of the first time as well: it is another wrong clock.
  if (sinceMs < 0 || sinceMs > steadyMs + longestPauseMs) return { seenAtMs, strangeSinceMs: nowMs };
  return sinceMs >= steadyMs ? { seenAtMs: nowMs, strangeSinceMs: null } : { seenAtMs, strangeSinceMs };
}

/** This version and the one before it write this form; any other text is no mark. */
const storedMark = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ seenAtMs: v.number(), strangeSinceMs: v.nullish(v.number()), aheadSinceMs: v.nullish(v.number()) }),
);

async function readMark(db: Kysely<Schema>): Promise<Mark | null> {
  const row = await db.selectFrom('metadata').select('value').where('name', '=', markName).executeTakeFirst();
  const parsed = v.safeParse(storedMark, row?.value);
  if (!parsed.success) return null;
  const { aheadSinceMs, seenAtMs, strangeSinceMs } = parsed.output;
  return { seenAtMs, strangeSinceMs: strangeSinceMs ?? aheadSinceMs ?? null };
}

/** For a database that has no mark yet: when something was last written into it. */
async function newestWrite(db: Kysely<Schema>): Promise<number | null> {
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
  return times.length === 0 ? null : Math.max(...times);
}
