import { CryptoError, type CryptoErrorCode } from '../../../crypto/protocol/bytes/errors.ts';
import { tamperings } from './tampering.ts';

/** The code with which an action is refused, or `accepted`: a refusal by anything but a CryptoError is a defect. */
export function refusalOf(action: () => unknown): CryptoErrorCode | 'accepted' {
  try {
    action();
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
  return 'accepted';
}

/**
 * Tries a reader on every tampering of what it accepts.
 *
 * @returns the tamperings that were not refused with one of these codes, so that a test expects [].
 */
export function unrefusedTamperings(
  bytes: Uint8Array,
  read: (changed: Uint8Array) => unknown,
  ...codes: readonly CryptoErrorCode[]
): string[] {
  // Proves that the reader accepts the bytes as they are; else a refusal says nothing.
  read(bytes);
  return [...tamperings(bytes)]
    .map(({ name, bytes: changed }) => ({ name, code: refusalOf(() => read(changed)) }))
    .filter(({ code }) => code === 'accepted' || !codes.includes(code))
    .map(({ name, code }) => `${name}: ${code}`);
}
