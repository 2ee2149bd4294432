import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { XWing } from '@noble/post-quantum/hybrid.js';
import { hmacSha256, join, u8, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { refuse } from '../protocol/refusal.ts';

/** RFC 9180 §5.1: "HPKE" || KEM 0x647A (X-Wing) || KDF 0x0001 (HKDF-SHA256) || AEAD 0x0003 (ChaCha20-Poly1305). */
const suiteId = join(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x03));
const version = utf8('HPKE-v1');
const baseMode = u8(0);

const u16 = (value: number): Bytes => Uint8Array.of(value >> 8, value & 0xff);
const labeledExtract = (salt: Bytes, label: string, key: Bytes): Bytes =>
  hmacSha256(salt, join(version, suiteId, utf8(label), key));

/** HKDF-Expand with RFC 9180's label, for one block of output or less (§4: L in 2 bytes). */
function labeledExpand(key: Bytes, label: string, info: Bytes, length: 12 | 32): Bytes {
  const labeled = join(u16(length), version, suiteId, utf8(label), info);
  return hmacSha256(key, join(labeled, u8(1))).slice(0, length);
}

/** RFC 9180 §5.1 KeySchedule in base mode: no PSK, empty PSK id. */
export function keySchedule(sharedSecret: Bytes, info: Bytes): { key: Bytes; baseNonce: Bytes } {
  const none = zeros(0);
  const context = join(baseMode, labeledExtract(none, 'psk_id_hash', none), labeledExtract(none, 'info_hash', info));
  const secret = labeledExtract(sharedSecret, 'secret', none);
  return {
    key: labeledExpand(secret, 'key', context, 32),
    baseNonce: labeledExpand(secret, 'base_nonce', context, 12),
  };
}

export const xWingPublicKey = (seed: Bytes): Bytes => XWing.keygen(seed).publicKey;

/** One Seal at sequence number 0. `seed` (64) is all the randomness of the encapsulation. */
export function hpkeSeal(
  publicKey: Bytes,
  info: Bytes,
  associatedData: Bytes,
  plaintext: Bytes,
  seed: Bytes,
): { encapsulation: Bytes; ciphertext: Bytes } {
  const { cipherText, sharedSecret } = XWing.encapsulate(publicKey, seed);
  const { key, baseNonce } = keySchedule(sharedSecret, info);
  return {
    encapsulation: cipherText,
    ciphertext: chacha20poly1305(key, baseNonce, associatedData).encrypt(plaintext),
  };
}

/** X-Wing rejects implicitly, so whatever is wrong shows as a failed tag (SPEC.md §7.2). */
export function hpkeOpen(
  secretSeed: Bytes,
  encapsulation: Bytes,
  info: Bytes,
  associatedData: Bytes,
  ciphertext: Bytes,
): Bytes {
  try {
    const { secretKey } = XWing.keygen(secretSeed);
    const { key, baseNonce } = keySchedule(XWing.decapsulate(encapsulation, secretKey), info);
    return chacha20poly1305(key, baseNonce, associatedData).decrypt(ciphertext);
  } catch {
    return refuse('open-failed');
  }
}
