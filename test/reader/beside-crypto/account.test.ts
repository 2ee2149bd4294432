import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import * as accountKeys from '../../../crypto/account/account-key.ts';
import * as rings from '../../../crypto/account/keyring.ts';
import * as slots from '../../../crypto/account/keyslot.ts';
import * as lists from '../../../crypto/account/keyslot-list.ts';
import * as nameTags from '../../../crypto/account/name-tag.ts';
import * as phrases from '../../../crypto/account/recovery-phrase.ts';
import { verifyRecoverySignature } from '../../../crypto/sign-in/recovery-signature.ts';
import { verifyStepUpSignature } from '../../../crypto/sign-in/step-up.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { decodeBase64url, encodeBase64url, type Bytes } from '../protocol/conventions.ts';
import { differences, plain, random, randomText, secret, variants } from './outcomes.ts';
import { ed25519PublicKey } from '../primitives/ed25519.ts';
import { openKeyring, sealKeyring } from '../account/keyring.ts';
import { keyEncryptionKey, keyslotListKey, unwrapKeyslot, wrapKeyslot, type KeyslotPlace } from '../account/keys.ts';
import { openKeyslotList, sealKeyslotList } from '../account/keyslot-list.ts';
import { nameTag, normaliseName } from '../account/names.ts';
import {
  isClaimSigned,
  isStepUpSigned,
  readPhrase,
  recoverySigningSeed,
  signClaim,
  signStepUp,
  writePhrase,
} from '../account/recovery.ts';

beforeAll(aeadReady);

const times = Array.from({ length: 5 }, (_, index) => index);
const utf8Bytes = (bytes: Bytes): string => new TextDecoder().decode(bytes);
const inputsOf = (texts: readonly string[]): { name: string; bytes: Bytes }[] =>
  texts.map((text) => ({ name: JSON.stringify(text), bytes: new TextEncoder().encode(text) }));

describe.each(times)('keyslots, random input %i', () => {
  const kind = randomInt(2) === 0 ? 'password' : 'recovery';
  const isPassword = kind === 'password';
  const wayIn = random(isPassword ? 64 : 32);
  const inside = { accountId: random(16), serverStaticPublicKey: random(32), accountKey: random(32) };
  const nameTag = randomInt(3) === 0 ? null : random(32);
  const content = nameTag === null ? inside : { ...inside, nameTag };
  const typed = randomInt(2) === 0 ? null : nameTag;
  const [epoch, generation, slotId] = [randomInt(1, 2 ** 32), randomInt(1, 2 ** 32), random(16)];
  const stretching = isPassword ? 'argon2id-64mib-3' : null;
  const place: KeyslotPlace = { kind, slotId, generation, stretching, boundServerKey: content.serverStaticPublicKey };
  const productionPlace = { kind, slotId, generation, stretching } as const;
  const serverStaticPublicKey = encodeBase64url(content.serverStaticPublicKey);
  const productionKey = (): ReturnType<typeof slots.deriveKeyEncryptionKey> =>
    isPassword
      ? slots.deriveKeyEncryptionKey('password', secret('ExportKey', wayIn))
      : slots.deriveKeyEncryptionKey('recovery', secret('RecoveryEntropy', wayIn));
  const readers = {
    mine: (body: Bytes) => unwrapKeyslot(keyEncryptionKey(wayIn, kind), place, body, typed),
    production: (body: Bytes) => {
      const opened = slots.unwrapAccountKey({
        ...productionPlace,
        serverStaticPublicKey: isPassword ? serverStaticPublicKey : null,
        keyEncryptionKey: productionKey(),
        nameTag: typed === null ? null : plain(typed),
        body,
      });
      const { nameTag: found, ...rest } = opened;
      const named = found === null ? {} : { nameTag: found };
      return { ...rest, ...named, serverStaticPublicKey: decodeBase64url(opened.serverStaticPublicKey) };
    },
  };

  test('production writes, both read', () => {
    const body = slots.wrapAccountKey({
      ...productionPlace,
      epoch,
      serverStaticPublicKey,
      keyEncryptionKey: productionKey(),
      accountId: content.accountId,
      accountKey: secret('AccountKey', content.accountKey),
      nameTag,
    });
    expect(readers.mine(body)).toEqual({ ...content, epoch });
    expect(differences(variants(body), readers)).toEqual([]);
  });

  test('the reader writes, both read', () => {
    const wrapping = { key: keyEncryptionKey(wayIn, kind), place, epoch, salt: random(32) };
    const body = wrapKeyslot(wrapping, content);
    expect(readers.mine(body)).toEqual({ ...content, epoch });
    expect(differences(variants(body), readers)).toEqual([]);
    const changedPlace = { ...place, generation: place.generation === 1 ? 2 : 1 };
    const other = wrapKeyslot({ ...wrapping, place: changedPlace }, content);
    expect(differences([{ name: 'another generation', bytes: other }], readers)).toEqual([]);
    const ofAnother = wrapKeyslot(wrapping, { ...inside, nameTag: random(32) });
    expect(differences([{ name: 'of another name', bytes: ofAnother }], readers)).toEqual([]);
    const epochZero = wrapKeyslot({ ...wrapping, epoch: 0 }, content);
    expect(differences([{ name: 'epoch 0', bytes: epochZero }], readers)).toEqual([]);
  });
});

describe.each(times)('keyslot lists, random input %i', () => {
  const [accountId, accountKey, epoch] = [random(16), random(32), randomInt(1, 2 ** 32)];
  const kinds = ['password', 'recovery', 'passkey', 'device'] as const;
  const listed = Array.from({ length: randomInt(1, 17) }, () => ({
    slotId: random(16),
    kind: kinds[randomInt(4)]!,
    generation: randomInt(1, 2 ** 32),
    digest: random(32),
  }));
  const key = keyslotListKey(accountKey, accountId);
  const listKey = (): ReturnType<typeof accountKeys.deriveKeyslotListKey> =>
    accountKeys.deriveKeyslotListKey({ accountId, accountKey: secret('AccountKey', accountKey) });
  const readers = {
    mine: (body: Bytes) => openKeyslotList(key, body),
    production: (body: Bytes) => lists.openKeyslotList({ listKey: listKey(), body }),
  };

  test('both write the same bytes and read them alike', () => {
    const body = sealKeyslotList(key, epoch, listed);
    expect(lists.encodeKeyslotList({ listKey: listKey(), epoch, slots: listed })).toEqual(body);
    expect(differences(variants(body), readers)).toEqual([]);
    const [first] = listed;
    const wrong = [
      { name: 'a slot twice', bytes: sealKeyslotList(key, epoch, [first!, first!]) },
      { name: 'generation 0', bytes: sealKeyslotList(key, epoch, [{ ...first!, generation: 0 }]) },
      { name: 'epoch 0', bytes: sealKeyslotList(key, 0, [first!]) },
    ];
    expect(differences(wrong, readers)).toEqual([]);
  });
});

describe.each(times)('keyrings, random input %i', (index) => {
  const accountId = random(16);
  const productionRing = times
    .slice(0, index + 1)
    .reduce(
      (ring) => rings.rotateKeyring(ring),
      rings.createKeyring({ accountId, epoch: 1, accountKey: secret('AccountKey', random(32)) }),
    );
  const keys = [...productionRing.keys]
    .map(([epoch, accountKey]) => ({ epoch, accountKey: accountKey.expose() }))
    .toSorted((a, b) => a.epoch - b.epoch);
  const current = keys.at(-1)!;
  const readers = {
    mine: (body: Bytes) => openKeyring(accountId, current, body).keys,
    production: (body: Bytes) => {
      const accountKey = secret('AccountKey', current.accountKey);
      const opened = rings.openKeyring({ accountId, epoch: current.epoch, accountKey, body });
      const found = [...opened.keys].map(([epoch, each]) => ({ epoch, accountKey: each.expose() }));
      return found.toSorted((a, b) => a.epoch - b.epoch);
    },
  };
  const sealed = (...earlier: number[]): Bytes =>
    sealKeyring(
      { accountId, keys: [...earlier.map((epoch) => ({ epoch, accountKey: random(32) })), current] },
      random(32),
    );

  test('keyrings: both read alike, whichever wrote', () => {
    expect(readers.mine(rings.sealKeyring(productionRing))).toEqual(keys);
    expect(differences(variants(rings.sealKeyring(productionRing)), readers)).toEqual([]);
    expect(differences(variants(sealKeyring({ accountId, keys }, random(32))), readers)).toEqual([]);
    const wrong = [[0], [1], [current.epoch], [current.epoch + 1], [1, 1], [2, 1]].map((earlier) => ({
      name: `earlier epochs ${earlier.join()}`,
      bytes: sealed(...earlier),
    }));
    expect(differences(wrong, readers)).toEqual([]);
    const long = new Uint8Array(7291).fill(7);
    long.set(sealed(1).slice(0, 6));
    expect(differences([{ name: 'too long', bytes: long }], readers)).toEqual([]);
    expect(differences([{ name: 'too long, another epoch', bytes: long.with(5, 99) }], readers)).toEqual([]);
  });
});

test('keyring: present in epoch 1, or absent', () => {
  const [accountId, accountKey] = [random(16), random(32)];
  const read = (body: Bytes | null) => ({
    mine: () => openKeyring(accountId, { epoch: 1, accountKey }, body).keys.length,
    production: () =>
      rings.openKeyring({ accountId, epoch: 1, accountKey: secret('AccountKey', accountKey), body }).keys.size,
  });
  const keys = [{ epoch: 1, accountKey }];
  const present = sealKeyring({ accountId, keys: [...keys, ...keys] }, random(32));
  expect(differences([{ name: 'present', bytes: present }], read(present))).toEqual([]);
  expect(differences([{ name: 'garbage', bytes: present }], read(random(126)))).toEqual([]);
  expect(differences([{ name: 'absent', bytes: present }], read(null))).toEqual([]);
});

test('user names: both say the same of them', () => {
  const readers = {
    mine: (bytes: Bytes) => [normaliseName(utf8Bytes(bytes)), nameTag(utf8Bytes(bytes))],
    production: (bytes: Bytes) => [
      nameTags.normaliseUserName(utf8Bytes(bytes)),
      nameTags.deriveNameTag(utf8Bytes(bytes)),
    ],
  };
  const pool = ' \t\u00a0\u3000.-_aZ0ßſİıΣςé\u0301\u0903अ①½²Ⅷǅ€😀李\u200d\ufe0f\u3164\u180e\u{e0101}\u{1d400}ﬁ\u034f';
  const characters = Array.from(pool);
  const texts = Array.from({ length: 3000 }, () =>
    Array.from({ length: randomInt(1, 7) }, () => characters[randomInt(characters.length)]).join(''),
  );
  const long = ['a'.repeat(256), ' '.repeat(253) + 'ada', ' '.repeat(254) + 'ada', 'ﷺ'.repeat(3), '𝐀'.repeat(64)];
  expect(differences(inputsOf([...texts, ...texts.map((text) => `ada${text}9`), ...long]), readers)).toEqual([]);
});

describe.each(times)('recovery, random input %i', () => {
  const entropy = random(32);
  const claim = { challenge: random(32), nameTag: random(32), issuedAtMs: randomInt(2 ** 47) };

  test('phrase: both write it, and read what people type alike', () => {
    const phrase = writePhrase(entropy);
    expect(phrases.encodeRecoveryPhrase(secret('RecoveryEntropy', entropy)).join(' ')).toBe(phrase);
    const readers = {
      mine: (bytes: Bytes) => readPhrase(utf8Bytes(bytes)),
      production: (bytes: Bytes) => phrases.parseRecoveryPhrase(utf8Bytes(bytes)),
    };
    const typed = [
      phrase,
      ` ${phrase.toUpperCase()}\n`,
      phrase.replaceAll(' ', '\u3000'),
      phrase.replaceAll(' ', ' \t\u00a0\ufeff'),
      phrase.replaceAll(' ', '\u0085'),
      phrase.replaceAll(' ', ','),
      phrase.replace(' ', ''),
      phrase.replace(/^\w+/, 'zoo'),
      phrase.replace(/^\w+/, 'zoom'),
      `${phrase} zoo`,
      phrase.padEnd(1024),
      phrase.padEnd(1025),
      phrase.replaceAll('k', '\u212a'),
      randomText(60),
      '',
    ];
    expect(differences(inputsOf(typed), readers)).toEqual([]);
  });

  test('claim: one signs, the other verifies', () => {
    const keys = phrases.deriveRecoverySigningKeys(secret('RecoveryEntropy', entropy));
    expect(ed25519PublicKey(recoverySigningSeed(entropy))).toEqual(keys.publicKey);
    expect(signClaim(entropy, claim)).toEqual(keys.sign(claim));
    expect(isClaimSigned(keys.publicKey, claim, keys.sign(claim))).toBe(true);
    const readers = {
      mine: (signature: Bytes) => isClaimSigned(keys.publicKey, claim, signature),
      production: (signature: Bytes) => verifyRecoverySignature({ ...claim, publicKey: keys.publicKey, signature }),
    };
    expect(readers.production(signClaim(entropy, claim))).toBe(true);
    expect(differences(variants(keys.sign(claim)), readers)).toEqual([]);
  });

  test('fresh proof: one signs, the other verifies', () => {
    const keys = phrases.deriveRecoverySigningKeys(secret('RecoveryEntropy', entropy));
    const fresh = { act: 'change-password', nonce: claim.challenge, bodyDigest: claim.nameTag } as const;
    expect(signStepUp(entropy, fresh)).toEqual(keys.signStepUp(fresh));
    const readers = {
      mine: (signature: Bytes) => isStepUpSigned(keys.publicKey, fresh, signature),
      production: (signature: Bytes) => verifyStepUpSignature({ ...fresh, publicKey: keys.publicKey, signature }),
    };
    expect(readers.production(signStepUp(entropy, fresh))).toBe(true);
    // A recovery's signature is no fresh proof.
    expect(readers.production(keys.sign(claim))).toBe(false);
    expect(differences(variants(keys.signStepUp(fresh)), readers)).toEqual([]);
  });
});
