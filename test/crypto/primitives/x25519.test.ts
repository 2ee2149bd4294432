import { x25519 } from '@noble/curves/ed25519.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { sodium, sodiumReady } from '../../../crypto/primitives/sodium.ts';
import wycheproof from '../../vectors/x25519.wycheproof.json' with { type: 'json' };

/*
 * X25519 is inside X-Wing, in libsodium where requests are opened and in noble where none is at hand. A peer's key that
 * gives an all-zero secret must be refused by both; all other results must be those of the vectors.
 */
beforeAll(sodiumReady);

it('has all 518 tests, some with an all-zero secret', () => {
  expect(wycheproof.tests).toHaveLength(518);
  expect(wycheproof.tests.filter(({ zero }) => zero).length).toBeGreaterThan(10);
});

describe.each([
  { name: 'libsodium', multiply: (secret: Uint8Array, key: Uint8Array) => sodium().crypto_scalarmult(secret, key) },
  { name: 'noble', multiply: (secret: Uint8Array, key: Uint8Array) => x25519.getSharedSecret(secret, key) },
])('X25519 of $name, Wycheproof', ({ multiply }) => {
  const sharedOf = (test: { private: string; public: string }) =>
    toHex(new Uint8Array(multiply(fromHex(test.private), fromHex(test.public))));

  it.each(wycheproof.tests.filter(({ zero }) => !zero))('$tcId agrees', (test) => {
    expect(sharedOf(test)).toBe(test.shared);
  });

  it.each(wycheproof.tests.filter(({ zero }) => zero))('$tcId, an all-zero secret, is refused', (test) => {
    expect(() => sharedOf(test)).toThrow(/./);
  });
});
