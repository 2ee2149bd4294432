import { sql } from 'kysely';
import { RelayError } from '../../api/route/relay-error.ts';
import type { Database } from '../../storage/tables/database.ts';
import { countInWindow } from '../../storage/rate-counter.ts';

/** One window for each subject: in the database, so that neither more addresses nor more replicas give more guesses. */
const windowMs = 3_600_000;

/** Attempts that are counted together. */
export type AttemptLimit = {
  /** As it stands in `rate_counters`: another name begins another count. */
  readonly kind: string;
  /** So many in a window. */
  readonly limit: number;
};

/**
 * Counts an attempt on a name, whether anybody has the name or not; one of a device that knows it; or one of a session.
 *
 * Each start counts, not each failure: whoever starts can test one password on their own side (OPAQUE tells them).
 *
 * @throws {RelayError} `too-many-requests`.
 */
export async function countAttempt(
  database: Database,
  { kind, limit }: AttemptLimit,
  subject: Uint8Array<ArrayBuffer>,
  nowMs: number,
): Promise<void> {
  const window = { subject, kind, windowMs, limit };
  const waitSeconds = await countInWindow(database.db, window, nowMs);
  if (waitSeconds !== null) throw new RelayError('too-many-requests', waitSeconds);
}

/** Takes a count back for whoever has proven to be the owner. */
export async function forgiveAttempt(
  database: Database,
  { kind }: AttemptLimit,
  subject: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await database.db
    .updateTable('rate_counters')
    .set({ count: sql<number>`count - 1` })
    .where('subject', '=', subject)
    .where('kind', '=', kind)
    .where('count', '>', 0)
    .execute();
}
