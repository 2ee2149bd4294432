import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256, sha384 as nobleSha384, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import { type Bytes, encodeUtf8, lengthPrefixed } from './bytes.ts';

/** The `info` of a derivation or the input of a hash: a label, then fields, length-prefixed (SPEC.md §1.3). */
export function labelled(label: `sotto/v1/${string}`, ...fields: readonly Uint8Array[]): Bytes {
  return lengthPrefixed(encodeUtf8(label), ...fields);
}

/** Hashes the parts as if joined; where their lengths vary, join them with `lengthPrefixed` instead. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Works as `sha256`, with 48 bytes. */
export function sha384(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha384.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Works as `sha256`, with 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha512.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** HMAC-SHA256 (RFC 2104): 32 bytes. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Bytes {
  return hmac(nobleSha256, key, message);
}
