import { createHash, randomInt } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { beforeAll, expect, test } from 'vitest';
import { isSignedBy } from '../../../crypto/evidence/key-statement.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { join, lp, zeros, type Bytes } from '../protocol/conventions.ts';
import { plain, random } from './outcomes.ts';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '../primitives/ed25519.ts';
import { fromHex } from '../vectors/vectors.ts';

beforeAll(aeadReady);

const { Point } = ed25519;
const order = Point.Fn.ORDER;
const prime = 2n ** 255n - 19n;
const littleEndian = (value: bigint): Bytes => plain(fromHex(value.toString(16).padStart(64, '0')).toReversed());
const scalarOf = (...parts: readonly Bytes[]): bigint => {
  const hash = createHash('sha512')
    .update(join(...parts))
    .digest();
  return BigInt(`0x${Buffer.from(hash.reverse()).toString('hex')}`) % order;
};
/** A point of order 8. */
const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');

/** Gives what the reader and production say of a signature over a statement. */
function verdicts(publicKey: Bytes, statement: Bytes, signature: Bytes): [boolean, boolean] {
  const isMine = ed25519Verify(publicKey, lp('sotto/v1/key-statement', statement), signature);
  const input = { identityPublicKey: plain(publicKey), statement: plain(statement), signature: plain(signature) };
  return [isMine, isSignedBy(input)];
}

const statement = random(40);
const message = lp('sotto/v1/key-statement', statement);
const seed = random(32);
const publicKey = ed25519PublicKey(seed);
const signature = ed25519Sign(seed, message);
const s = BigInt(`0x${Buffer.from(signature.slice(32).toReversed()).toString('hex')}`);

test('Ed25519: both accept a signature as it was made', () => {
  expect(verdicts(publicKey, statement, signature)).toEqual([true, true]);
});

test.each<[string, Bytes, Bytes]>([
  ['S + L', publicKey, join(signature.slice(0, 32), littleEndian(s + order))],
  ['S = L', publicKey, join(signature.slice(0, 32), littleEndian(order))],
  [
    'R + 8-torsion',
    publicKey,
    join(Point.fromBytes(signature.slice(0, 32)).add(torsion).toBytes(), signature.slice(32)),
  ],
  ['R of zeros', publicKey, join(zeros(32), signature.slice(32))],
  ['65 bytes', publicKey, join(signature, zeros(1))],
  ['a public key of 31 bytes', publicKey.slice(1), signature],
])('Ed25519: both refuse %s', (_, key, changed) => {
  expect(verdicts(key, statement, changed)).toEqual([false, false]);
});

test('Ed25519: both refuse public keys of small order, whatever is signed, however they are written', () => {
  const multiples = Array.from({ length: 8 }, (_, index) =>
    index === 0 ? Point.ZERO.toBytes() : torsion.multiply(BigInt(index)).toBytes(),
  );
  const nonCanonical = [prime, prime + 1n].map(littleEndian);
  const keys = [...multiples, ...nonCanonical].flatMap((key) => [key, key.with(31, key[31]! ^ 0x80)]);
  // R = the identity and S = 0 verify under a key A of order n wherever the hash is a multiple of n.
  const accepted = keys.flatMap((key) =>
    Array.from({ length: 32 }, () => random(randomInt(1, 60))).flatMap((text) =>
      multiples.map((r) => verdicts(key, text, join(r, zeros(32)))),
    ),
  );
  expect(accepted.filter(([mine, production]) => mine || production)).toEqual([]);
});

test('Ed25519: both refuse a y that is not below p', () => {
  const keys = Array.from({ length: 19 }, (_, index) => littleEndian(prime + BigInt(index)));
  expect(keys.map((key) => verdicts(key, statement, signature))).toEqual(keys.map(() => [false, false]));
});

test('Ed25519: only the key’s holder can make a signature on which verifiers differ', () => {
  // A' = A + T: with the cofactor this verifies for every message, without it for one hash in eight (RFC 8032 §5.1.7 allows both).
  const secretScalar = BigInt(randomInt(1, 2 ** 47));
  const mixed = Point.BASE.multiply(secretScalar).add(torsion).toBytes();
  const found = Array.from({ length: 64 }, () => {
    const text = random(20);
    const nonce = BigInt(randomInt(1, 2 ** 47));
    const r = Point.BASE.multiply(nonce).toBytes();
    const challenge = scalarOf(r, mixed, lp('sotto/v1/key-statement', text));
    const made = join(r, littleEndian((nonce + challenge * secretScalar) % order));
    return { isMultiple: challenge % 8n === 0n, verdict: verdicts(mixed, text, made) };
  });
  // SPEC.md §2.1 allows both; where they agree, both accept.
  expect(found.map(({ verdict: [mine] }) => mine)).toEqual(found.map(({ isMultiple }) => isMultiple));
  expect(found.filter(({ verdict: [mine, production] }) => mine && !production)).toEqual([]);
});
