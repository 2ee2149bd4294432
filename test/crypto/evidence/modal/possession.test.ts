import { createHash, sign as ed25519 } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../../crypto/evidence/key-statement.ts';
import {
  type PossessionPurpose,
  signPossession,
  verifyPossession,
} from '../../../../crypto/evidence/modal/possession.ts';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { paperKeyOfSeed } from '../../../parts/evidence/modal/paper-log.ts';
import { tamperings } from '../../../parts/crypto/tampering.ts';

const identity = generateIdentityKeyPair();
const challenge = randomBytes(32);
const register: PossessionPurpose = { kind: 'register', identityToken: 'a.b.c' };
const renew: PossessionPurpose = { kind: 'renew' };
const sign = (purpose: PossessionPurpose) =>
  signPossession({ identitySecretKey: identity.secretKey, challenge, purpose });

test.each([
  ['register', register, createHash('sha256').update('a.b.c').digest()],
  ['renew', renew, Buffer.alloc(0)],
])('signPossession, %s: as another implementation writes it', (kind, purpose, tokenHash) => {
  const parts = [Buffer.from('sotto/v1/registrar-possession'), Buffer.from(kind), challenge, tokenHash];
  const message = Buffer.concat(parts.flatMap((part) => [Buffer.of(0, 0, 0, part.length), part]));
  const { privateKey } = paperKeyOfSeed(identity.secretKey.expose());
  expect(Buffer.from(sign(purpose))).toEqual(ed25519(null, message, privateKey));
});

describe('verifyPossession', () => {
  test.each([
    ['register', register],
    ['renew', renew],
  ])('%s: accepts what was signed for it', (_name, purpose) => {
    const signature = sign(purpose);
    expect(verifyPossession({ identityPublicKey: identity.publicKey, challenge, purpose, signature })).toBe(true);
  });

  test.each([
    ['another challenge', { challenge: randomBytes(32) }],
    ['another key', { identityPublicKey: generateIdentityKeyPair().publicKey }],
    ['another token', { purpose: { kind: 'register', identityToken: 'a.b.d' } as const }],
    ['another purpose', { purpose: renew }],
    ['a key that is none', { identityPublicKey: new Uint8Array(31) }],
  ])('refuses %s', (_name, change) => {
    const right = { identityPublicKey: identity.publicKey, challenge, purpose: register, signature: sign(register) };
    expect(verifyPossession(right)).toBe(true);
    expect(verifyPossession({ ...right, ...change })).toBe(false);
  });

  test('refuses every changed signature', () => {
    const right = { identityPublicKey: identity.publicKey, challenge, purpose: renew };
    for (const { name, bytes } of tamperings(sign(renew))) {
      expect([name, verifyPossession({ ...right, signature: bytes })]).toEqual([name, false]);
    }
  });
});
