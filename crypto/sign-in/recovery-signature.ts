import { ed25519 } from '@noble/curves/ed25519.js';
import { type Bytes, uint64 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';

/** A recovery signature covers this (SPEC.md §3.4). */
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

/** Whose signature is to be verified: any bytes, as they came. */
export type PhraseSignature = { readonly publicKey: Uint8Array; readonly signature: Uint8Array };

/**
 * Verifies that a recovery phrase's key signed this claim (SPEC.md §3.4).
 *
 * @returns false for whatever is not a signature of this claim, malformed keys and signatures included.
 */
export function verifyRecoverySignature(input: RecoveryClaim & PhraseSignature): boolean {
  return verifyPhraseSignature(() => encodeRecoveryClaim(input), input);
}

/**
 * Verifies Ed25519 (RFC 8032, SPEC.md §2.1), with the strict rules of FIPS 186-5 rather than ZIP 215's.
 *
 * @param encodeClaim - Gives the signed bytes; a claim that cannot be encoded was not.
 * @returns false for malformed keys and signatures too.
 */
export function verifyPhraseSignature(encodeClaim: () => Bytes, { publicKey, signature }: PhraseSignature): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, encodeClaim(), publicKey, { zip215: false });
  } catch {
    return false;
  }
}
