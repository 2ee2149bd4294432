import { ed25519 } from '@noble/curves/ed25519.js';
import { type Bytes, uint64 } from '../primitives/bytes.ts';
import { CryptoError } from '../primitives/errors.ts';
import { labelled } from '../primitives/hash.ts';

/** What a recovery signature covers (SPEC.md §3.4). */
export type RecoveryClaim = {
  /** 32 bytes, drawn by the relay for this attempt. */
  readonly challenge: Uint8Array;
  /** 32 bytes: a signature for one account releases no other's keyslot. */
  readonly nameTag: Uint8Array;
  readonly issuedAtMs: number;
};

/**
 * The bytes that a recovery phrase's key signs to have its keyslot released (SPEC.md §3.4).
 *
 * @returns `lp("sotto/v1/recovery", challenge (32), nameTag (32), u64(issuedAtMs))`.
 * @throws {CryptoError} `invalid-argument` for a challenge or name tag of another length, or a time that is no whole number from 0 on.
 */
export function encodeRecoveryClaim(claim: RecoveryClaim): Bytes {
  if (claim.challenge.length !== 32 || claim.nameTag.length !== 32) throw new CryptoError('invalid-argument');
  return labelled('sotto/v1/recovery', claim.challenge, claim.nameTag, uint64(claim.issuedAtMs));
}

/**
 * Verifies Ed25519 (RFC 8032, SPEC.md §3.4), with the strict rules of FIPS 186-5 rather than ZIP 215's.
 *
 * @returns false for whatever is not a signature of this claim, malformed keys and signatures included.
 */
export function verifyRecoverySignature(
  input: RecoveryClaim & { readonly publicKey: Uint8Array; readonly signature: Uint8Array },
): boolean {
  if (input.publicKey.length !== 32 || input.signature.length !== 64) return false;
  try {
    return ed25519.verify(input.signature, encodeRecoveryClaim(input), input.publicKey, { zip215: false });
  } catch {
    return false;
  }
}
