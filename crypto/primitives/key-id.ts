import type { Bytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { sha256 } from '../protocol/bytes/hash.ts';

/** The length of an X-Wing public key (SPEC.md §2.1). */
export const enclavePublicKeyLength = 1216;

/** The name of an enclave's key is the whole SHA-256 of its public half (SPEC.md §7.2). */
export function keyIdOf(publicKey: Uint8Array): Bytes {
  if (publicKey.length !== enclavePublicKeyLength) throw new CryptoError('invalid-argument');
  return sha256(publicKey);
}
