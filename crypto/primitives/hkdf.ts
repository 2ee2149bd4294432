import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';

/**
 * HKDF-SHA256 (RFC 5869, SPEC.md §2.1).
 *
 * @param input.salt - Empty when absent.
 * @param input.info - From `labelled(…)`.
 * @param input.length - 0 to 8160 bytes.
 * @throws {CryptoError} `invalid-argument` for any other length.
 */
export function deriveBytes(input: {
  readonly key: Uint8Array;
  readonly salt?: Uint8Array;
  readonly info: Uint8Array;
  readonly length: number;
}): Bytes {
  if (!Number.isInteger(input.length) || input.length < 0 || input.length > 255 * 32) {
    throw new CryptoError('invalid-argument');
  }
  return hkdf(sha256, input.key, input.salt, input.info, input.length);
}
