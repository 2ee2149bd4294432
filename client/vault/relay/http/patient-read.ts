import { type Clock, wait } from '../../surroundings/clock.ts';
import { type RelayCallCode, RelayCallError } from './relay-call-error.ts';

/** A relay that names a longer pause is not waited for here. */
const longestPauseMs = 60_000;
/** All pauses of one read together; a whole vault is read in hundreds of reads, each with its own. */
const patienceMs = 300_000;
const leastPauseMs = 500;

/** The relay has no time now, or a proxy before it lets no more calls through. */
const putOff: ReadonlySet<RelayCallCode> = new Set(['too-many-requests', 'too-many-on-the-way']);

/**
 * Repeats a read that is put off because much was read before. A vault comes in many pages, and one that is put off
 * must not lose the others.
 *
 * @throws {RelayCallError} as the read, also once the patience is over.
 */
export async function readPatiently<T>(clock: Clock, read: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ;) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof RelayCallError) || !putOff.has(error.code)) throw error;
      const pauseMs = Math.max(leastPauseMs, error.retryAfterMs ?? 0);
      waitedMs += pauseMs;
      if (pauseMs > longestPauseMs || waitedMs > patienceMs) throw error;
      await wait(clock, pauseMs);
    }
  }
}
