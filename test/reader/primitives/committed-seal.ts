import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf, isEqual, join, type Bytes } from '../protocol/conventions.ts';
import { refuse } from '../protocol/refusal.ts';

const overhead = 80;
const longestPlaintext = 16 * 1024 * 1024;

/** A seal stands in this place: the key's label and fields, and the data that is authenticated beside it. */
export type SealPlace = { key: Bytes; info: Bytes; associatedData: Bytes };

/** The three parts that key, salt and info give (SPEC.md §2.2). */
export function deriveSealing(key: Bytes, salt: Bytes, info: Bytes): { key: Bytes; nonce: Bytes; commitment: Bytes } {
  if (key.length !== 32 || salt.length !== 32) refuse('invalid-argument');
  const okm = hkdf(key, info, 88, salt);
  return { key: okm.slice(0, 32), nonce: okm.slice(32, 56), commitment: okm.slice(56, 88) };
}

/** `salt || commitment || ciphertext || tag` (SPEC.md §2.2). The salt is the caller's, since this writer makes vectors again. */
export function sealCommitted(place: SealPlace, plaintext: Bytes, salt: Bytes): Bytes {
  if (plaintext.length > longestPlaintext) refuse('too-long');
  const { key, nonce, commitment } = deriveSealing(place.key, salt, place.info);
  return join(salt, commitment, xchacha20poly1305(key, nonce, place.associatedData).encrypt(plaintext));
}

/** Compares the commitment before it opens; one code for all that does not fit (SPEC.md §2.2). */
export function openCommitted(place: SealPlace, sealed: Bytes): Bytes {
  if (sealed.length < overhead || sealed.length > longestPlaintext + overhead) refuse('open-failed');
  const { key, nonce, commitment } = deriveSealing(place.key, sealed.slice(0, 32), place.info);
  if (!isEqual(commitment, sealed.slice(32, 64))) refuse('open-failed');
  try {
    return xchacha20poly1305(key, nonce, place.associatedData).decrypt(sealed.slice(64));
  } catch {
    return refuse('open-failed');
  }
}
