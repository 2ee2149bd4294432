import { beforeAll, describe, expect, it } from 'vitest';
import {
  deriveKeyEncryptionKey,
  keyslotBodyLength,
  unwrapAccountKey,
  wrapAccountKey,
} from '../../../crypto/account/keyslot.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import {
  concat,
  encodeUtf8,
  lengthPrefixed,
  toBase64Url,
  toHex,
  uint32,
} from '../../../crypto/protocol/bytes/bytes.ts';
import { openCommitted } from '../../../crypto/primitives/committed-seal.ts';
import { labelled } from '../../../crypto/protocol/bytes/hash.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { filled } from '../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

const exportKey = (value: number) => new Secret('ExportKey', filled(64, value));
const entropy = (value: number) => new Secret('RecoveryEntropy', filled(32, value));
const accountKey = new Secret('AccountKey', filled(32, 0xbb));
const serverStaticPublicKey = toBase64Url(filled(32, 0xcc));
const inside = { epoch: 3, accountId: filled(16, 0xaa), accountKey };
const nameTag = filled(32, 0xdd);

const password = {
  kind: 'password',
  slotId: filled(16, 1),
  generation: 7,
  stretching: 'argon2id-64mib-3',
  serverStaticPublicKey,
  keyEncryptionKey: deriveKeyEncryptionKey('password', exportKey(1)),
  nameTag,
} as const;
const recovery = {
  kind: 'recovery',
  slotId: filled(16, 2),
  generation: 1,
  stretching: null,
  keyEncryptionKey: deriveKeyEncryptionKey('recovery', entropy(1)),
  nameTag,
} as const;

describe('password keyslot', () => {
  it('gives back what it wraps, in 198 bytes', () => {
    const body = wrapAccountKey({ ...password, ...inside });
    expect(body).toHaveLength(198);
    expect([1, 2].map((version) => keyslotBodyLength(version as 1 | 2))).toEqual([166, 198]);
    const opened = unwrapAccountKey({ ...password, body });
    expect(opened.epoch).toBe(3);
    expect(opened.accountId).toEqual(inside.accountId);
    expect(opened.accountKey.expose()).toEqual(accountKey.expose());
    expect(opened.serverStaticPublicKey).toBe(serverStaticPublicKey);
    expect(opened.nameTag).toEqual(nameTag);
  });

  it('a password keyslot of version 1 gives back the key that it wraps, and no name but the typed one', () => {
    const body = wrapAccountKey({ ...password, ...inside, nameTag: null });
    expect(body).toHaveLength(166);
    const unnamed = unwrapAccountKey({ ...password, nameTag: null, body });
    expect(unnamed.accountKey.expose()).toEqual(accountKey.expose());
    expect(unnamed.nameTag).toBeNull();
    expect(unwrapAccountKey({ ...password, body }).nameTag).toEqual(nameTag);
  });

  it('M5: opens under the name that was typed, or for an unlock that asks for none, and under no other name', () => {
    const body = wrapAccountKey({ ...password, ...inside });
    expect(unwrapAccountKey({ ...password, nameTag: null, body }).nameTag).toEqual(nameTag);
    expect(refusalOf(() => unwrapAccountKey({ ...password, body }))).toBe('accepted');
    expect(refusalOf(() => unwrapAccountKey({ ...password, nameTag: filled(32, 0xde), body }))).toBe('open-failed');
  });

  it.each([
    [1, null, new Uint8Array(0)],
    [2, nameTag, nameTag],
  ] as const)('a keyslot of version %i has the bytes of SPEC.md §4.2', (version, given, atTheEnd) => {
    const body = wrapAccountKey({ ...password, ...inside, nameTag: given });
    const header = body.subarray(0, 6);
    expect(toHex(header)).toBe(`0${version}0100000003`);
    const [kind, stretching] = [encodeUtf8('password'), encodeUtf8('argon2id-64mib-3')];
    const plaintext = openCommitted({
      key: password.keyEncryptionKey.expose(),
      info: labelled('sotto/v1/keyslot', kind, password.slotId),
      associatedData: lengthPrefixed(header, kind, password.slotId, uint32(7), stretching, filled(32, 0xcc)),
      sealed: body.subarray(6),
    });
    expect(plaintext).toEqual(concat(inside.accountId, filled(32, 0xcc), accountKey.expose(), atTheEnd));
  });

  it.each([nameTag, null])('M8: unwrap rejects every changed byte, cut and extension', (given) => {
    const body = wrapAccountKey({ ...password, ...inside, nameTag: given });
    const read = (changed: Uint8Array) => unwrapAccountKey({ ...password, body: changed });
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite'] as const;
    expect(unrefusedTamperings(body, read, ...codes)).toEqual([]);
  });

  it.each([
    ['another slot', { slotId: filled(16, 3) }],
    ['M8: an older generation', { generation: 6 }],
    ['another secret', { keyEncryptionKey: deriveKeyEncryptionKey('password', exportKey(2)) }],
    ['M5: another OPAQUE server key', { serverStaticPublicKey: toBase64Url(filled(32, 0xcd)) }],
  ])('unwrap rejects %s', (_, change) => {
    const body = wrapAccountKey({ ...password, ...inside });
    expect(refusalOf(() => unwrapAccountKey({ ...password, body }))).toBe('accepted');
    expect(refusalOf(() => unwrapAccountKey({ ...password, ...change, body }))).toBe('open-failed');
  });

  it('M9: the same secret opens it under no other kind', () => {
    const body = wrapAccountKey({ ...password, ...inside });
    const other = { ...password, kind: 'passkey', stretching: null, serverStaticPublicKey: null } as const;
    expect(refusalOf(() => unwrapAccountKey({ ...other, body }))).toBe('open-failed');
  });

  it.each([
    ['M11: version 3', 0, 3, 'unsupported-version'],
    ['M11: version 1 for a slot of version 2', 0, 1, 'malformed'],
    ['M11: version 0', 0, 0, 'unsupported-version'],
    ['M11: suite 2', 1, 2, 'unsupported-suite'],
    ['M11: suite 0', 1, 0, 'unsupported-suite'],
    ['another epoch', 5, 4, 'open-failed'],
    ['epoch 0', 5, 0, 'malformed'],
  ] as const)('unwrap rejects %s', (_, place, value, code) => {
    const body = wrapAccountKey({ ...password, ...inside });
    body[place] = value;
    expect(refusalOf(() => unwrapAccountKey({ ...password, body }))).toBe(code);
  });
});

describe('recovery keyslot', () => {
  const wrap = () => wrapAccountKey({ ...recovery, ...inside, serverStaticPublicKey });

  it('carries the server key inside, so that a password set afterwards can be checked against it', () => {
    const opened = unwrapAccountKey({ ...recovery, serverStaticPublicKey: null, body: wrap() });
    expect(opened.serverStaticPublicKey).toBe(serverStaticPublicKey);
    expect(opened.accountId).toEqual(inside.accountId);
  });

  it('rejects another phrase', () => {
    const keyEncryptionKey = deriveKeyEncryptionKey('recovery', entropy(2));
    const other = { ...recovery, serverStaticPublicKey: null, keyEncryptionKey, body: wrap() };
    expect(refusalOf(() => unwrapAccountKey(other))).toBe('open-failed');
  });

  it('every wrapping is another one', () => {
    expect(toHex(wrap())).not.toBe(toHex(wrap()));
  });
});

describe('misuse', () => {
  it.each([
    ['a password slot without profile', { ...password, ...inside, stretching: null }],
    [
      'a recovery slot with one',
      { ...recovery, ...inside, serverStaticPublicKey, stretching: 'argon2id-64mib-3' as const },
    ],
    ['an account id of 15 bytes', { ...password, ...inside, accountId: filled(15, 1) }],
    ['a slot id of 17 bytes', { ...password, ...inside, slotId: filled(17, 1) }],
    ['generation 0', { ...password, ...inside, generation: 0 }],
    ['epoch 0', { ...password, ...inside, epoch: 0 }],
    ['an account key of 16 bytes', { ...password, ...inside, accountKey: new Secret('AccountKey', filled(16, 1)) }],
    ['a name tag of 31 bytes', { ...password, ...inside, nameTag: filled(31, 1) }],
    ['a server key of 31 bytes', { ...password, ...inside, serverStaticPublicKey: toBase64Url(filled(31, 1)) }],
  ])('wrap refuses %s', (_, input) => {
    expect(refusalOf(() => wrapAccountKey(input))).toBe('invalid-argument');
  });

  it('unwrap refuses a password slot without server key, and a recovery slot with one', () => {
    const body = wrapAccountKey({ ...password, ...inside });
    expect(refusalOf(() => unwrapAccountKey({ ...password, serverStaticPublicKey: null, body }))).toBe(
      'invalid-argument',
    );
    expect(refusalOf(() => unwrapAccountKey({ ...recovery, serverStaticPublicKey, body }))).toBe('invalid-argument');
  });

  it('one secret gives two kinds two keys', () => {
    const same = filled(32, 5);
    const asPassword = deriveKeyEncryptionKey('password', new Secret('ExportKey', same.slice()));
    const asRecovery = deriveKeyEncryptionKey('recovery', new Secret('RecoveryEntropy', same.slice()));
    expect(toHex(asPassword.expose())).not.toBe(toHex(asRecovery.expose()));
  });
});
