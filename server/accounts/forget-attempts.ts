import type { Database } from '../storage/database.ts';

const countersKeptMs = 24 * 3_600_000;

/** Deletes what has run out and lived some minutes: attempts, proofs, challenges, counters. Several replicas may do it at once. */
export async function forgetAttempts(database: Database, nowMs: number): Promise<void> {
  const { db } = database;
  await db.deleteFrom('login_attempts').where('expires_at', '<=', nowMs).execute();
  await db.deleteFrom('step_ups').where('expires_at', '<=', nowMs).execute();
  await db.deleteFrom('recovery_challenges').where('expires_at', '<=', nowMs).execute();
  await db
    .deleteFrom('rate_counters')
    .where('window_start', '<=', nowMs - countersKeptMs)
    .execute();
}

/** Deletes sessions that nobody used for their lifetime; the clock must be right. */
export async function forgetSessions(database: Database, nowMs: number): Promise<void> {
  await database.db.deleteFrom('sessions').where('expires_at', '<=', nowMs).execute();
}
