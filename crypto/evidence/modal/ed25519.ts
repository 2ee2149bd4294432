import { ed25519 } from '@noble/curves/ed25519.js';
import type { Bytes } from '../../protocol/bytes/bytes.ts';

/** Strict RFC 8032 verification (SPEC.md §9.1), so that no second signature or small-order key passes. */
export function verifyEd25519(input: {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}): boolean {
  try {
    return ed25519.verify(input.signature, input.message, input.publicKey, { zip215: false });
  } catch {
    // A key or signature of the wrong form.
    return false;
  }
}

/** @param secretKey - The seed of RFC 8032, 32 bytes. @returns 64 bytes. */
export function signEd25519(secretKey: Uint8Array, message: Uint8Array): Bytes {
  return Uint8Array.from(ed25519.sign(message, secretKey));
}

/** @param secretKey - The seed of RFC 8032, 32 bytes. @returns 32 bytes. */
export function publicKeyOf(secretKey: Uint8Array): Bytes {
  return Uint8Array.from(ed25519.getPublicKey(secretKey));
}
