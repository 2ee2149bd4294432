import { describe, expect, test } from 'vitest';
import { readCanonicalJson, writeCanonicalJson } from '../protocol/canonical-json.ts';
import { decodeBase64url, lp, sha256, u32, u8, zeros } from '../protocol/conventions.ts';
import { openKeyring, sealKeyring, type Keyring } from '../account/keyring.ts';
import {
  draftKey,
  keyEncryptionKey,
  keyslotListKey,
  unwrapKeyslot,
  vaultHeadKey,
  wrapKeyslot,
} from '../account/keys.ts';
import type { KeyslotKind, KeyslotPlace } from '../account/keys.ts';
import { openKeyslotList, sealKeyslotList } from '../account/keyslot-list.ts';
import { nameTag, normaliseName } from '../account/names.ts';
import { ed25519PublicKey } from '../primitives/ed25519.ts';
import {
  isClaimSigned,
  isStepUpSigned,
  readPhrase,
  recoverySigningSeed,
  signClaim,
  signStepUp,
  writeClaim,
  writePhrase,
  writeStepUpClaim,
} from '../account/recovery.ts';
import { sizeClass } from '../protocol/size-class.ts';
import { accountVectors, codeOf, codesOfFlips, fromHex, saltOf, toHex } from './vectors.ts';

const { encodings, names, recovery, stepUp } = accountVectors;

describe('encodings', () => {
  test.each(encodings.canonicalJson)('canonical JSON: reads and writes $bytes', ({ value, bytes }) => {
    expect(readCanonicalJson(fromHex(bytes), 1024)).toEqual(value);
    expect(toHex(writeCanonicalJson(value))).toBe(bytes);
  });

  test.each(encodings.refusedJson)('canonical JSON: refuses %s', (bytes) => {
    expect(codeOf(() => readCanonicalJson(fromHex(bytes), 1024))).toBe('malformed');
  });

  test.each(encodings.lengthPrefixed)('length-prefixed list: $parts', ({ parts, bytes }) => {
    expect(toHex(lp(...parts.map(fromHex)))).toBe(bytes);
  });

  test.each(encodings.sizeClasses)('size class: of $length', ({ length, padded }) => {
    expect(sizeClass(length)).toBe(padded);
  });
});

describe('names', () => {
  test.each(names.accepted)('user name: $name', (entry) => {
    expect(normaliseName(entry.name)).toBe(entry.normalised);
    expect(toHex(nameTag(entry.name))).toBe(entry.nameTag);
  });

  test.each(names.refused)('user name: refuses %j', (name) => {
    expect(codeOf(() => normaliseName(name))).toBe('invalid-user-name');
  });
});

describe('recovery', () => {
  const entropy = fromHex(recovery.entropy);
  const claim = {
    challenge: fromHex(recovery.challenge),
    nameTag: fromHex(recovery.nameTag),
    issuedAtMs: recovery.issuedAtMs,
  };

  test('phrase: both ways', () => {
    expect(writePhrase(entropy)).toBe(recovery.words);
    expect(toHex(readPhrase(`  ${recovery.words.toUpperCase().replaceAll(' ', '\n')} `))).toBe(recovery.entropy);
  });

  test.each([
    ['23 words', recovery.words.replace(/ \w+$/, '')],
    ['an abbreviation', recovery.words.replace('month', 'mont')],
    ['two words exchanged', recovery.words.replace('month girl', 'girl month')],
  ])('phrase: refuses %s', (_, words) => {
    expect(codeOf(() => readPhrase(words))).toBe('invalid-phrase');
  });

  test('claim: is written, signed and verified', () => {
    const publicKey = ed25519PublicKey(recoverySigningSeed(entropy));
    const signature = signClaim(entropy, claim);
    expect(toHex(publicKey)).toBe(recovery.publicKey);
    expect(toHex(writeClaim(claim))).toBe(recovery.message);
    expect(toHex(signature)).toBe(recovery.signature);
    expect(isClaimSigned(publicKey, claim, signature)).toBe(true);
    expect(isClaimSigned(publicKey, { ...claim, issuedAtMs: claim.issuedAtMs + 1 }, signature)).toBe(false);
  });

  test('fresh proof: the body’s digest, the claim and its signature', () => {
    const publicKey = ed25519PublicKey(recoverySigningSeed(entropy));
    expect(toHex(sha256(writeCanonicalJson(stepUp.body)))).toBe(stepUp.bodyDigest);
    const fresh = { act: stepUp.act, nonce: fromHex(stepUp.nonce), bodyDigest: fromHex(stepUp.bodyDigest) };
    const signature = signStepUp(entropy, fresh);
    expect(toHex(publicKey)).toBe(stepUp.publicKey);
    expect(toHex(writeStepUpClaim(fresh))).toBe(stepUp.message);
    expect(toHex(signature)).toBe(stepUp.signature);
    expect(isStepUpSigned(publicKey, fresh, signature)).toBe(true);
    expect(isStepUpSigned(publicKey, { ...fresh, act: 'another' }, signature)).toBe(false);
  });
});

test.each(accountVectors.derivedKeys)('derived keys: epoch $epoch', (entry) => {
  const [accountKey, accountId] = [fromHex(entry.accountKey), fromHex(entry.accountId)];
  expect(toHex(vaultHeadKey(accountKey, accountId))).toBe(entry.vaultHeadKey);
  expect(toHex(keyslotListKey(accountKey, accountId))).toBe(entry.keyslotListKey);
  expect(toHex(draftKey(accountKey, accountId))).toBe(entry.draftKey);
});

describe.each(accountVectors.keyslots)('keyslot: $kind, generation $generation', (entry) => {
  const kind = entry.kind as KeyslotKind;
  const key = keyEncryptionKey(fromHex(entry.secret), kind);
  const content = {
    accountId: fromHex(entry.accountId),
    serverStaticPublicKey: decodeBase64url(entry.serverStaticPublicKey),
    accountKey: fromHex(entry.accountKey),
  };
  const place: KeyslotPlace = {
    kind,
    slotId: fromHex(entry.slotId),
    generation: entry.generation,
    stretching: entry.stretching,
    boundServerKey: content.serverStaticPublicKey,
  };
  const body = fromHex(entry.body);

  test('opens, and is made again', () => {
    expect(toHex(key)).toBe(entry.keyEncryptionKey);
    expect(unwrapKeyslot(key, place, body)).toEqual({ ...content, epoch: entry.epoch });
    const wrapping = { key, place, epoch: entry.epoch, salt: saltOf(entry.body) };
    expect(toHex(wrapKeyslot(wrapping, content))).toBe(entry.body);
    expect(toHex(sha256(body))).toBe(entry.digest);
  });

  test('refuses each changed byte, another length and another place', () => {
    const codes = codesOfFlips(body, (changed) => unwrapKeyslot(key, place, changed));
    expect(codes.slice(0, 2)).toEqual(['unsupported-version', 'unsupported-suite']);
    expect(new Set(codes.slice(2))).toEqual(new Set(['open-failed']));
    const openCode = (changed: Partial<KeyslotPlace>, bytes = body): string =>
      codeOf(() => unwrapKeyslot(key, { ...place, ...changed }, bytes));
    expect(openCode({}, Uint8Array.of(...body, 0))).toBe('malformed');
    expect(openCode({}, body.slice(0, -1))).toBe('malformed');
    expect(openCode({ generation: 9 })).toBe('open-failed');
    expect(openCode({ slotId: zeros(16) })).toBe('open-failed');
    expect(openCode({ kind: 'device' })).toBe('open-failed');
    const hasServerKey = kind === 'password';
    expect(openCode({ boundServerKey: zeros(32) })).toBe(hasServerKey ? 'open-failed' : 'accepted');
    expect(openCode({ stretching: 'argon2id-1mib-1' })).toBe(hasServerKey ? 'malformed' : 'accepted');
  });
});

describe.each(accountVectors.keyslotLists)('keyslot list: epoch $epoch', (entry) => {
  const key = fromHex(entry.keyslotListKey);
  const body = fromHex(entry.body);
  const slots = entry.slots.map((slot) => ({
    slotId: fromHex(slot.slotId),
    kind: slot.kind as KeyslotKind,
    generation: slot.generation,
    digest: fromHex(slot.digest),
  }));

  test('opens, and is made again in whatever order', () => {
    expect(openKeyslotList(key, body)).toEqual({ epoch: entry.epoch, slots });
    expect(toHex(sealKeyslotList(key, entry.epoch, slots.toReversed()))).toBe(entry.body);
    expect(toHex(sha256(body))).toBe(entry.digest);
  });

  test('refuses each changed byte', () => {
    const codes = codesOfFlips(body, (changed) => openKeyslotList(key, changed));
    expect(codes.slice(0, 2)).toEqual(['unsupported-version', 'unsupported-suite']);
    expect(codes[6]).toBe('malformed');
    expect(new Set([...codes.slice(2, 6), ...codes.slice(7)])).toEqual(new Set(['open-failed']));
  });

  test('refuses what only an own writer could have authenticated', () => {
    const [first] = slots;
    const resealed = (...changed: typeof slots): string =>
      codeOf(() => openKeyslotList(key, sealKeyslotList(key, entry.epoch, changed)));
    expect(resealed(first!)).toBe('accepted');
    expect(resealed(first!, first!)).toBe('malformed');
    expect(resealed({ ...first!, generation: 0 })).toBe('malformed');
  });
});

describe.each(accountVectors.keyrings)('keyring: epoch $epoch', (entry) => {
  const accountId = fromHex(entry.accountId);
  const current = { epoch: entry.epoch, accountKey: fromHex(entry.accountKey) };
  const earlier = entry.earlier.map(({ epoch, accountKey }) => ({ epoch, accountKey: fromHex(accountKey) }));
  const keyring: Keyring = { accountId, keys: [...earlier, current] };
  const salt = saltOf(entry.body);

  test('opens, and is made again', () => {
    expect(openKeyring(accountId, current, fromHex(entry.body))).toEqual(keyring);
    expect(toHex(sealKeyring(keyring, salt))).toBe(entry.body);
  });

  test('refuses each changed byte, another account, and to be absent', () => {
    const codes = codesOfFlips(fromHex(entry.body), (changed) => openKeyring(accountId, current, changed));
    expect(codes.slice(0, 2)).toEqual(['unsupported-version', 'unsupported-suite']);
    expect(new Set(codes.slice(2))).toEqual(new Set(['open-failed']));
    expect(codeOf(() => openKeyring(zeros(16), current, fromHex(entry.body)))).toBe('open-failed');
    expect(codeOf(() => openKeyring(accountId, current, null))).toBe('open-failed');
    expect(codeOf(() => openKeyring(accountId, { ...current, epoch: 1 }, null))).toBe('accepted');
    expect(codeOf(() => openKeyring(accountId, current, zeros(7291).fill(1, 0, 6)))).toBe('malformed');
  });

  test.each([
    ['the current epoch', [current.epoch]],
    ['epoch 0', [0]],
    ['an epoch twice', [1, 1]],
  ])('refuses %s among the earlier ones', (_, epochs) => {
    const keys = [...epochs.map((epoch) => ({ epoch, accountKey: zeros(32) })), current];
    expect(codeOf(() => openKeyring(accountId, current, sealKeyring({ accountId, keys }, salt)))).toBe('malformed');
  });
});

test('integers: are big-endian', () => {
  expect([toHex(u8(1)), toHex(u32(1))]).toEqual(['01', '00000001']);
});
