import { openXChaCha20Poly1305, sealXChaCha20Poly1305, tagLength } from './aead.ts';
import { type Bytes, concat, equalBytes, randomBytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { deriveBytes } from './hkdf.ts';
import { maximumPaddedLength } from '../protocol/bytes/size-class.ts';

const saltLength = 32;
const commitmentLength = 32;
/** A committed seal adds this to its plaintext: 80 bytes. */
export const committedSealOverhead = saltLength + commitmentLength + tagLength;

type Context = {
  /** 32 bytes; any number of sealings may share it, since each derives its own key from a fresh salt. */
  readonly key: Uint8Array;
  /** Purpose and place, from `labelled(…)`. */
  readonly info: Uint8Array;
  readonly associatedData: Uint8Array;
};

/** SPEC.md §2.2: `key (32) || nonce (24) || commitment (32) = HKDF(key, salt, info)`. */
function deriveSealing(context: Context, salt: Uint8Array): { key: Bytes; nonce: Bytes; commitment: Bytes } {
  if (context.key.length !== 32) throw new CryptoError('invalid-argument');
  const bytes = deriveBytes({ key: context.key, salt, info: context.info, length: 88 });
  const derived = { key: bytes.slice(0, 32), nonce: bytes.slice(32, 56), commitment: bytes.slice(56, 88) };
  bytes.fill(0);
  return derived;
}

/**
 * Seals under a key, a nonce and a commitment of its own (SPEC.md §2.2).
 *
 * No Poly1305 AEAD commits to its key; the commitment makes a ciphertext that opens under two keys impossible to write.
 *
 * @param input.plaintext - 0 to 16 MiB, already padded where its length tells something.
 * @returns `salt (32) || commitment (32) || ciphertext || tag (16)`.
 * @throws {CryptoError} `too-long`, `invalid-argument`, `not-ready`.
 */
export function sealCommitted(input: Context & { readonly plaintext: Uint8Array }): Bytes {
  if (input.plaintext.length > maximumPaddedLength) throw new CryptoError('too-long');
  const salt = randomBytes(saltLength);
  const { key, nonce, commitment } = deriveSealing(input, salt);
  const { plaintext, associatedData } = input;
  try {
    return concat(salt, commitment, sealXChaCha20Poly1305({ key, nonce, plaintext, associatedData }));
  } finally {
    key.fill(0);
  }
}

/** @throws {CryptoError} `open-failed` for whatever `sealCommitted` did not write in this context; `not-ready`. */
export function openCommitted(input: Context & { readonly sealed: Uint8Array }): Bytes {
  const { sealed, associatedData } = input;
  if (sealed.length < committedSealOverhead || sealed.length > committedSealOverhead + maximumPaddedLength) {
    throw new CryptoError('open-failed');
  }
  const { key, nonce, commitment } = deriveSealing(input, sealed.subarray(0, saltLength));
  try {
    // Compared before opening: nothing is decrypted under a key that the writer did not commit to.
    if (!equalBytes(commitment, sealed.subarray(saltLength, saltLength + commitmentLength))) {
      throw new CryptoError('open-failed');
    }
    const ciphertext = sealed.subarray(saltLength + commitmentLength);
    return openXChaCha20Poly1305({ key, nonce, ciphertext, associatedData });
  } finally {
    key.fill(0);
  }
}
