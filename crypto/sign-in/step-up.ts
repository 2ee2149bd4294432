import type { StepUpAct } from '../protocol/messages/account-messages.ts';
import { type Bytes, encodeUtf8 } from '../protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';
import { type PhraseSignature, verifyPhraseSignature } from './recovery-signature.ts';

/** A fresh proof is for this: one act with one body, asked for once (SPEC.md §3.5). */
export type StepUpClaim = {
  readonly act: StepUpAct;
  /** 32 bytes, drawn by the relay for this proof. */
  readonly nonce: Uint8Array;
  readonly bodyDigest: Uint8Array;
};

/**
 * Digest of the call that a fresh proof is for (SPEC.md §3.5): another body needs another proof.
 *
 * @param body - The message without its `proof`.
 * @returns `SHA-256(canonical JSON)`.
 * @throws {CryptoError} `invalid-argument` for what is no JSON.
 */
export function digestActBody(body: object): Bytes {
  return sha256(encodeCanonicalJson(body));
}

/**
 * The bytes that a recovery phrase's key signs as a fresh proof (SPEC.md §3.5).
 *
 * @returns `lp("sotto/v1/step-up", act, nonce (32), bodyDigest (32))`.
 * @throws {CryptoError} `invalid-argument` for a nonce or digest of another length.
 */
export function encodeStepUpClaim({ act, nonce, bodyDigest }: StepUpClaim): Bytes {
  if (nonce.length !== 32 || bodyDigest.length !== 32) throw new CryptoError('invalid-argument');
  return labelled('sotto/v1/step-up', encodeUtf8(act), nonce, bodyDigest);
}

/**
 * Verifies that a recovery phrase's key signed this claim (SPEC.md §3.5).
 *
 * @returns false for whatever is not a signature of this claim, malformed keys and signatures included.
 */
export function verifyStepUpSignature(input: StepUpClaim & PhraseSignature): boolean {
  return verifyPhraseSignature(() => encodeStepUpClaim(input), input);
}
