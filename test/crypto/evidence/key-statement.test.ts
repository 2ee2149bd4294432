import { beforeAll, describe, expect, test } from 'vitest';
import {
  generateIdentityKeyPair,
  isSignedBy,
  signKeyStatement,
  verifyKeyStatement,
} from '../../../crypto/evidence/key-statement.ts';
import type { PlainStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { encodeUtf8, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';

beforeAll(aeadReady);

const nonce = randomBytes(32);
const identity = generateIdentityKeyPair();
const sample = (changes: Partial<PlainStatement> = {}): PlainStatement => ({
  format: 1,
  nonce: toBase64Url(nonce),
  issuedAtMs: 1_795_000_000_000,
  keys: [{ keyId: toBase64Url(randomBytes(32)), notAfterMs: 1_795_007_200_000 }],
  model: 'rehearsal',
  weightsDigest: null,
  engine: 'rehearsal',
  ...changes,
});
const signed = (changes: Partial<PlainStatement> = {}) =>
  signKeyStatement({ identitySecretKey: identity.secretKey, statement: sample(changes) });
const verify = (changes: Partial<Parameters<typeof verifyKeyStatement>[0]> = {}) =>
  verifyKeyStatement({ identityPublicKey: identity.publicKey, nonce, ...signed(), ...changes });

describe('verifyKeyStatement', () => {
  test('gives back what was signed', () => {
    const statement = sample({
      model: 'Qwen/Qwen3.5-9B',
      weightsDigest: toBase64Url(randomBytes(32)),
      engine: 'openai',
    });
    const bytes = signKeyStatement({ identitySecretKey: identity.secretKey, statement });
    expect(verify(bytes)).toEqual(statement);
  });

  test('refuses another nonce: an old statement (M3)', () => {
    expect(refusalOf(() => verify({ nonce: randomBytes(32) }))).toBe('evidence-refused');
    expect(refusalOf(() => verify())).toBe('accepted');
  });

  test('refuses every change of statement, signature and identity', () => {
    const { statement, signature } = signed();
    const common = { statement, signature };
    expect(
      unrefusedTamperings(statement, (bytes) => verify({ ...common, statement: bytes }), 'evidence-refused'),
    ).toEqual([]);
    expect(
      unrefusedTamperings(signature, (bytes) => verify({ ...common, signature: bytes }), 'evidence-refused'),
    ).toEqual([]);
    const read = (bytes: Uint8Array) => verify({ ...common, identityPublicKey: bytes });
    expect(unrefusedTamperings(identity.publicKey, read, 'evidence-refused')).toEqual([]);
  });

  test('refuses a signature without the label, as if it were made for something else', () => {
    const { statement } = signed();
    expect(isSignedBy({ identityPublicKey: identity.publicKey, statement, signature: new Uint8Array(64) })).toBe(false);
    const bare = signKeyStatement({ identitySecretKey: identity.secretKey, statement: sample() });
    expect(isSignedBy({ identityPublicKey: identity.publicKey, ...bare })).toBe(true);
    expect(isSignedBy({ identityPublicKey: identity.publicKey, ...bare, statement: encodeUtf8('x') })).toBe(false);
  });

  test('refuses a small-order identity, under which any signature would pass', () => {
    const small = new Uint8Array(32);
    small[0] = 1;
    const signature = new Uint8Array(64);
    signature[0] = 1;
    expect(isSignedBy({ identityPublicKey: small, statement: encodeUtf8('{}'), signature })).toBe(false);
  });

  test.each([
    ['another format', { format: 2 }],
    ['a field too many', { extra: true }],
    ['no keys', { keys: [] }],
    ['five keys', { keys: Array.from({ length: 5 }, () => sample().keys[0]) }],
    ['an unknown engine', { engine: 'oracle' }],
    ['no model', { model: '' }],
    ['a weights digest of another length', { weightsDigest: 'AAAA' }],
  ])('refuses a signed statement with %s', (_name, changes) => {
    expect(refusalOf(() => verify(signed(changes as Partial<PlainStatement>)))).toBe('malformed');
    expect(refusalOf(() => verify(signed()))).toBe('accepted');
  });
});
