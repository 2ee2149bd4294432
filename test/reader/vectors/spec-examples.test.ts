import { expect, test } from 'vitest';
import { deriveSealing } from '../primitives/committed-seal.ts';
import {
  decodeBase64url,
  encodeBase64url,
  header,
  lp,
  sha256,
  u64,
  utf8,
  zeros,
  type Bytes,
} from '../protocol/conventions.ts';
import { writeCanonicalJson } from '../protocol/canonical-json.ts';
import { ed25519PublicKey } from '../primitives/ed25519.ts';
import { sealHead } from '../vault/head.ts';
import { writeItemContent } from '../vault/item-content.ts';
import { sealDraft, sealItem } from '../vault/items.ts';
import { sealKeyring, type Keyring } from '../account/keyring.ts';
import { draftKey, keyEncryptionKey, keyslotListKey, vaultHeadKey, wrapKeyslot } from '../account/keys.ts';
import type { KeyslotKind } from '../account/keys.ts';
import { sealKeyslotList, type ListedKeyslot } from '../account/keyslot-list.ts';
import { nameTag, normaliseName } from '../account/names.ts';
import { recoverySigningSeed, signClaim, signStepUp, writePhrase } from '../account/recovery.ts';
import { pad, sizeClass } from '../protocol/size-class.ts';
import { itemsRoot, leafHash } from '../protocol/tree.ts';
import { codeOf, fromHex, isInSpecification, toHex } from './vectors.ts';

const filled = (byte: number, length: number): Bytes => zeros(length).fill(byte);
const rising = (length: number): Bytes => Uint8Array.from({ length }, (_, index) => index);

const accountId = filled(0xa1, 16);
const accountKey = filled(0xb2, 32);
const salt = filled(0xc3, 32);
const serverStaticPublicKey = filled(0xe5, 32);
const keyring: Keyring = { accountId, keys: [{ epoch: 1, accountKey }] };

function exampleKeyslot(kind: KeyslotKind, idByte: number, secret: Bytes): { body: Bytes; listed: ListedKeyslot } {
  const slotId = filled(idByte, 16);
  const place = {
    kind,
    slotId,
    generation: 1,
    stretching: 'argon2id-64mib-3',
    boundServerKey: serverStaticPublicKey,
  };
  const key = keyEncryptionKey(secret, kind);
  const body = wrapKeyslot({ key, place, epoch: 1, salt }, { accountId, serverStaticPublicKey, accountKey });
  return { body, listed: { slotId, kind, generation: 1, digest: sha256(body) } };
}

const recovery = exampleKeyslot('recovery', 0x51, rising(32));
const password = exampleKeyslot('password', 0x52, rising(64));
const list = sealKeyslotList(keyslotListKey(accountKey, accountId), 1, [password.listed, recovery.listed]);
const settings = writeItemContent('settings', { format: 1, theme: { setAtMs: 1_700_000_000_000, value: 'dark' } });
const itemId = filled(0xd4, 16);
const item = sealItem(keyring, { itemId, version: 1, expiresAt: 0 }, settings, salt);
const itemLeaf = { id: itemId, version: 1, expiresAt: 0, flags: 0, bodyHash: sha256(item) };
const head = sealHead(
  keyring,
  {
    counter: 1,
    previousHash: zeros(32),
    epoch: 1,
    itemsRoot: itemsRoot([itemLeaf]),
    keyslotListDigest: sha256(list),
    prunedBefore: 0,
  },
  salt,
);
const sealing = deriveSealing(accountKey, salt, lp('sotto/v1/item', accountId, itemId));
const nextKeyring = { accountId, keys: [...keyring.keys, { epoch: 2, accountKey: filled(0xb3, 32) }] };
const claim = { challenge: filled(0x11, 32), nameTag: nameTag('ada_l'), issuedAtMs: 1_700_000_000_000 };
const freshProof = { act: 'change-password', nonce: filled(0x11, 32), bodyDigest: filled(0x22, 32) };
const threeLeaves = [0x00, 0x40, 0x80].map((byte) => ({
  id: Uint8Array.of(byte, ...zeros(15)),
  version: 1,
  expiresAt: 0,
  flags: 0,
  bodyHash: sha256(Uint8Array.of(byte)),
}));

test.each<[string, Bytes]>([
  ['§1.2 header', header(1)],
  ['§1.3 list', lp('ab', zeros(0), Uint8Array.of(0xff))],
  ['§2.2 sealing key', sealing.key],
  ['§2.2 nonce', sealing.nonce],
  ['§2.2 commitment', sealing.commitment],
  ['§3.1 name tag', nameTag(' Ada_L ')],
  ['§3.4 public key', ed25519PublicKey(recoverySigningSeed(rising(32)))],
  ['§3.4 time', u64(claim.issuedAtMs)],
  ['§3.4 signature', signClaim(rising(32), claim)],
  ['§3.5 signature', signStepUp(rising(32), freshProof)],
  ['§4.1 vault head key', vaultHeadKey(accountKey, accountId)],
  ['§4.1 keyslot list key', keyslotListKey(accountKey, accountId)],
  ['§4.1 draft key', draftKey(accountKey, accountId)],
  ['§4.2 key-encryption key of a password', keyEncryptionKey(rising(64), 'password')],
  ['§4.2 key-encryption key of a phrase', keyEncryptionKey(rising(32), 'recovery')],
  ['§4.2 recovery keyslot', recovery.body],
  ['§4.2 password keyslot', password.body],
  ['§4.3 list', list],
  ['§4.3 digest', sha256(list)],
  ['§4.4 keyring', sealKeyring(nextKeyring, salt)],
  ['§5.2 beginning of the item', item.slice(0, 100)],
  ['§5.2 tag of the item', item.slice(-16)],
  ['§5.2 hash of the item', sha256(item)],
  ['§5.4 hash of the draft', sha256(sealDraft(keyring, 'new', 'hello', salt))],
  ['§6.1 leaf 00', leafHash(threeLeaves[0]!)],
  ['§6.1 leaf 40', leafHash(threeLeaves[1]!)],
  ['§6.1 leaf 80', leafHash(threeLeaves[2]!)],
  ['§6.1 root of none', itemsRoot([])],
  ['§6.1 root of two', itemsRoot(threeLeaves.slice(0, 2))],
  ['§6.1 root of three', itemsRoot(threeLeaves)],
  ['§6.2 items root', leafHash(itemLeaf)],
  ['§6.2 head', head],
  ['§6.2 hash of the head', sha256(head)],
])('SPEC.md shows the bytes that this writer makes: %s', (_, bytes) => {
  expect(isInSpecification(bytes)).toBe(true);
  // The page does not happen to hold everything.
  expect(isInSpecification(sha256(bytes, utf8('another')))).toBe(false);
});

test('SPEC.md §1.4: the example of canonical JSON', () => {
  const written = writeCanonicalJson({ b: [1, -0, 1e21, 1e-7, 100], a: 'é\u0007/', Z: true });
  expect(new TextDecoder().decode(written)).toBe(String.raw`{"Z":true,"a":"é\u0007/","b":[1,0,1e+21,1e-7,100]}`);
});

test('SPEC.md §1.5: the examples of base64url', () => {
  expect([encodeBase64url(fromHex('fbefff')), encodeBase64url(fromHex('ff'))]).toEqual(['--__', '_w']);
  expect(toHex(decodeBase64url('_w'))).toBe('ff');
  const refused = ['_x', '_', '_w==', '_w=', '/w', ' _w', '_w\n', 'é'];
  expect(refused.map((text) => codeOf(() => decodeBase64url(text)))).toEqual(refused.map(() => 'malformed'));
});

test('SPEC.md §2.3: the table of size classes', () => {
  const lengths = [0, 1024, 1025, 1_048_576, 1_048_577, 1_081_345, 2_000_000, 16_777_215];
  const classes = [1024, 1024, 4096, 1_048_576, 1_081_344, 1_114_112, 2_031_616, 16_777_216];
  expect(lengths.map(sizeClass)).toEqual(classes);
  expect(toHex(pad(utf8('hello')))).toBe(`0000000568656c6c6f${'00'.repeat(1015)}`);
});

test('SPEC.md §3.1: the table of names', () => {
  const typed = ['Ada.Lovelace', 'ＡＤＡ', 'ﬁona', 'Zoe\u0308', 'Straße', 'ΟΔΥΣΣΕΥΣ', 'İrem', '①②③'];
  const normalised = ['ada.lovelace', 'ada', 'fiona', 'zo\u00eb', 'straße', 'οδυσσευσ', 'i\u0307rem', '123'];
  expect(typed.map(normaliseName)).toEqual(normalised);
  const refused = ['ada lovelace', '.ada', 'ada-', 'ab', 'ada@b', 'ada😀', 'a\u200dda', 'ada\ud800', 'a'.repeat(257)];
  expect(refused.map((name) => codeOf(() => normaliseName(name)))).toEqual(refused.map(() => 'invalid-user-name'));
});

test('SPEC.md §3.4: the example phrase', () => {
  expect(writePhrase(rising(32))).toBe(
    'abandon amount liar amount expire adjust cage candy arch gather drum bullet ' +
      'absurd math era live bid rhythm alien crouch range attend journey unaware',
  );
});
