import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { encodeBase64url, type Bytes } from '../protocol/conventions.ts';

const prime = 2n ** 255n - 19n;
/** y of the points whose order divides 8, from RFC 7748's curve: 0, 1, −1 and the two of order 8. */
const orderEight = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const smallOrder = new Set([0n, 1n, prime - 1n, orderEight, prime - orderEight]);

const publicKeyOf = (bytes: Bytes): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(bytes) }, format: 'jwk' });

/** The private key of RFC 8032 from its 32 bytes; PKCS #8's fixed beginning stands before them. */
const privateKeyOf = (seed: Bytes): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

export const ed25519PublicKey = (seed: Bytes): Bytes =>
  new Uint8Array(createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-32));

export const ed25519Sign = (seed: Bytes, message: Bytes): Bytes =>
  new Uint8Array(sign(null, message, privateKeyOf(seed)));

/**
 * Verifies strictly (SPEC.md §2.1). OpenSSL compares R as bytes and refuses S from the group order on; it takes public keys of
 * small order and non-canonical ones, which are refused here.
 */
export function ed25519Verify(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const y = BigInt(`0x${Buffer.from(publicKey.toReversed()).toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= prime || smallOrder.has(y)) return false;
  try {
    return verify(null, message, publicKeyOf(publicKey), signature);
  } catch {
    return false;
  }
}
