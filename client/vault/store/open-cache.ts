import type { Clock } from '../surroundings/clock.ts';
import type { CiphertextCache } from './ciphertext-cache.ts';
import type { FailureCode } from '../failures/failure-codes.ts';

/** A browser opens its storage in milliseconds, and on a busy old machine in seconds. */
const patienceMs = 6_000;

/**
 * Opens what this browser keeps, for as long as it takes: some browsers answer late or, while another tab or the disk
 * holds it, never.
 *
 * @param onHeldUp - Told after a while why nothing goes on, and with null once it does.
 * @throws {VaultError} `storage-unavailable` or `browser-storage-full`.
 */
export async function openCache(
  cache: Pick<CiphertextCache, 'open'>,
  clock: Clock,
  onHeldUp: (by: FailureCode | null) => void,
): Promise<void> {
  let isHeldUp = false;
  const callOff = clock.after(patienceMs, () => {
    isHeldUp = true;
    onHeldUp('storage-silent');
  });
  try {
    await cache.open();
  } finally {
    callOff();
    if (isHeldUp) onHeldUp(null);
  }
}
