import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { publicKeyOf } from '../../../../crypto/evidence/modal/ed25519.ts';
import {
  decodeLogEntry,
  encodeLogEntry,
  isSignedByRegistrar,
  parseRegistrarStatement,
  signRegistrarStatement,
} from '../../../../crypto/evidence/modal/registrar-statement.ts';
import type { RegistrarStatement } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import {
  concat,
  encodeUtf8,
  lengthPrefixed,
  randomBytes,
  toBase64Url,
} from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { refusalOf } from '../../../parts/crypto/refusal.ts';
import { tamperings } from '../../../parts/crypto/tampering.ts';

const seed = randomBytes(32);
const secretKey = new Secret('RegistrarStatementKey', seed);
const registrarPublicKey = publicKeyOf(seed);
const value: RegistrarStatement = {
  format: 1,
  platform: 'modal',
  identityPublicKey: toBase64Url(randomBytes(32)),
  workspaceId: 'ac-1',
  environmentId: 'en-1',
  appId: 'ap-1',
  functionId: 'fu-1',
  containerId: 'ta-1',
  issuedAtMs: 1_795_000_000_000,
  notAfterMs: 1_795_003_600_000,
};

test('signRegistrarStatement: another implementation verifies it', () => {
  const { statement, signature } = signRegistrarStatement(secretKey, value);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), registrarPublicKey]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  expect(verify(null, lengthPrefixed(encodeUtf8('sotto/v1/registrar-statement'), statement), key, signature)).toBe(
    true,
  );
  expect(verify(null, statement, key, signature)).toBe(false);
  expect(Buffer.from(statement).toString()).toBe(JSON.stringify(value, Object.keys(value).toSorted()));
  expect(parseRegistrarStatement(statement)).toEqual(value);
});

test('isSignedByRegistrar: refuses every changed signature and statement', () => {
  const signed = signRegistrarStatement(secretKey, value);
  expect(isSignedByRegistrar({ registrarPublicKey, ...signed })).toBe(true);
  for (const { bytes } of tamperings(signed.signature)) {
    expect(isSignedByRegistrar({ registrarPublicKey, ...signed, signature: new Uint8Array(bytes) })).toBe(false);
  }
  for (const { bytes } of tamperings(signed.statement)) {
    expect(isSignedByRegistrar({ registrarPublicKey, ...signed, statement: new Uint8Array(bytes) })).toBe(false);
  }
});

test('log entry: signature and statement, both ways', () => {
  const signed = signRegistrarStatement(secretKey, value);
  const entry = encodeLogEntry(signed);
  expect(entry).toEqual(concat(signed.signature, signed.statement));
  expect(decodeLogEntry(entry)).toEqual(signed);
  expect(refusalOf(() => decodeLogEntry(entry.subarray(0, 65)))).toBe('accepted');
  expect(refusalOf(() => decodeLogEntry(entry.subarray(0, 64)))).toBe('malformed');
  expect(refusalOf(() => decodeLogEntry(new Uint8Array(64 + 4096)))).toBe('accepted');
  expect(refusalOf(() => decodeLogEntry(new Uint8Array(64 + 4097)))).toBe('malformed');
  expect(refusalOf(() => encodeLogEntry({ ...signed, signature: new Uint8Array(63) }))).toBe('invalid-argument');
});
