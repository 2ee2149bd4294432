import { type Kysely, sql } from 'kysely';
import type { Schema } from './tables/schema.ts';

export type CountedWindow = {
  /** Identifies the name, or the account. */
  readonly subject: Uint8Array<ArrayBuffer>;
  readonly kind: string;
  readonly windowMs: number;
  readonly limit: number;
};

/**
 * Counts one more in a window that all replicas share and a restart does not open again.
 *
 * @returns null when it is within the limit, else the seconds until the window is over.
 */
export async function countInWindow(db: Kysely<Schema>, window: CountedWindow, nowMs: number): Promise<number | null> {
  const { subject, kind, windowMs, limit } = window;
  // A clock that was far ahead began a window that would last until then.
  const expired = sql<boolean>`(rate_counters.window_start <= ${nowMs - windowMs} or rate_counters.window_start > ${nowMs + windowMs})`;
  const { count, window_start: startedAt } = await db
    .insertInto('rate_counters')
    .values({ subject, kind, window_start: nowMs, count: 1 })
    .onConflict((conflict) =>
      conflict.columns(['subject', 'kind']).doUpdateSet({
        count: sql<number>`case when ${expired} then 1 else rate_counters.count + 1 end`,
        window_start: sql<number>`case when ${expired} then excluded.window_start else rate_counters.window_start end`,
      }),
    )
    .returning(['count', 'window_start'])
    .executeTakeFirstOrThrow();
  return count <= limit ? null : Math.max(1, Math.ceil((startedAt + windowMs - nowMs) / 1000));
}
