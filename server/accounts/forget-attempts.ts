import { type Kysely, sql } from 'kysely';
import type { Database } from '../storage/tables/database.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { attemptTables } from './factors/factors.ts';
import { sessionLifetimeMs } from './sessions/sessions.ts';

const countersKeptMs = 24 * 3_600_000;
/** A short-lived attempt that ends later than this was written by a clock that was far ahead. */
const longestAttemptMs = 3_600_000;
/** By how much the clocks of replicas may differ. */
const clockDifferenceMs = 600_000;

/**
 * Deletes what has run out and lived some minutes: attempts, proofs, challenges, counters. Several replicas may do it at once.
 *
 * @param nowMs - The machine's clock, by which they were written.
 * @param earliestMs - The time by which a count may be over: it keeps guesses apart.
 */
export async function forgetAttempts(database: Database, nowMs: number, earliestMs: number): Promise<void> {
  const { db } = database;
  for (const table of [...attemptTables, 'step_ups'] as const) {
    await db
      .deleteFrom(table)
      .where((row) =>
        row.or([row('expires_at', '<=', nowMs), row('expires_at', '>', nowMs + longestAttemptMs + clockDifferenceMs)]),
      )
      .execute();
  }
  await db
    .deleteFrom('rate_counters')
    .where('window_start', '<=', earliestMs - countersKeptMs)
    .execute();
}

/** Deletes sessions that nobody used for their lifetime; the clock must be right. */
export async function forgetSessions(database: Database, nowMs: number): Promise<void> {
  await database.db.deleteFrom('sessions').where('expires_at', '<=', nowMs).execute();
  await bringBackFromFuture(database.db, nowMs);
}

/** A session that a clock far ahead has dated is as if it had been used now: it would live for months otherwise. */
async function bringBackFromFuture(db: Kysely<Schema>, nowMs: number): Promise<void> {
  const earlier = (column: 'rotated_at' | 'refreshed_at' | 'expires_at', atMs: number) =>
    sql<number>`case when ${sql.ref(column)} > ${atMs} then ${atMs} else ${sql.ref(column)} end`;
  const latestMs = nowMs + clockDifferenceMs;
  await db
    .updateTable('sessions')
    .set({
      rotated_at: earlier('rotated_at', nowMs),
      refreshed_at: earlier('refreshed_at', nowMs),
      expires_at: earlier('expires_at', nowMs + sessionLifetimeMs),
    })
    .where((row) => row.or([row('refreshed_at', '>', latestMs), row('expires_at', '>', latestMs + sessionLifetimeMs)]))
    .execute();
}
