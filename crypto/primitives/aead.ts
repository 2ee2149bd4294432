import type { Bytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { sodium, sodiumReady } from './sodium.ts';

/** Poly1305's tag behind every ciphertext. */
export const tagLength = 16;

/** Resolves when the functions of this file can be called (they are synchronous). */
export function aeadReady(): Promise<void> {
  return sodiumReady();
}

type SealInput = {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly associatedData: Uint8Array;
};
type OpenInput = Omit<SealInput, 'plaintext'> & { readonly ciphertext: Uint8Array };

function requireLengths(input: { key: Uint8Array; nonce: Uint8Array }, nonceLength: number): void {
  if (input.key.length !== 32 || input.nonce.length !== nonceLength) throw new CryptoError('invalid-argument');
}

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, SPEC.md §2.1): 32-byte key, 24-byte nonce.
 *
 * @returns `ciphertext || tag (16)`.
 * @throws {CryptoError} `invalid-argument`, `not-ready`.
 */
export function sealXChaCha20Poly1305(input: SealInput): Bytes {
  requireLengths(input, 24);
  const { plaintext, associatedData, nonce, key } = input;
  return sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associatedData, null, nonce, key) as Bytes;
}

/** @throws {CryptoError} `open-failed`, `invalid-argument`, `not-ready`. */
export function openXChaCha20Poly1305(input: OpenInput): Bytes {
  requireLengths(input, 24);
  const { ciphertext, associatedData, nonce, key } = input;
  const library = sodium();
  try {
    return library.crypto_aead_xchacha20poly1305_ietf_decrypt(null, ciphertext, associatedData, nonce, key) as Bytes;
  } catch {
    throw new CryptoError('open-failed');
  }
}

/**
 * ChaCha20-Poly1305 (RFC 8439, SPEC.md §2.1): 32-byte key, 12-byte nonce, for the frames of a reply.
 *
 * @returns `ciphertext || tag (16)`.
 * @throws {CryptoError} `invalid-argument`, `not-ready`.
 */
export function sealChaCha20Poly1305(input: SealInput): Bytes {
  requireLengths(input, 12);
  const { plaintext, associatedData, nonce, key } = input;
  return sodium().crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, associatedData, null, nonce, key) as Bytes;
}

/** @throws {CryptoError} `open-failed`, `invalid-argument`, `not-ready`. */
export function openChaCha20Poly1305(input: OpenInput): Bytes {
  requireLengths(input, 12);
  const { ciphertext, associatedData, nonce, key } = input;
  const library = sodium();
  try {
    return library.crypto_aead_chacha20poly1305_ietf_decrypt(null, ciphertext, associatedData, nonce, key) as Bytes;
  } catch {
    throw new CryptoError('open-failed');
  }
}
