import { deriveDraftKey, deriveKeyslotListKey, deriveVaultHeadKey } from '../../../../crypto/account/account-key.ts';
import { accountKeyOf, sealKeyring } from '../../../../crypto/account/keyring.ts';
import { digestKeyslot, digestKeyslotList, encodeKeyslotList } from '../../../../crypto/account/keyslot-list.ts';
import { deriveKeyEncryptionKey, wrapAccountKey } from '../../../../crypto/account/keyslot.ts';
import { deriveNameTag, normaliseUserName } from '../../../../crypto/account/name-tag.ts';
import { deriveRecoverySigningKeys, encodeRecoveryPhrase } from '../../../../crypto/account/recovery-phrase.ts';
import { encodeRecoveryClaim } from '../../../../crypto/sign-in/recovery-signature.ts';
import { digestActBody, encodeStepUpClaim } from '../../../../crypto/sign-in/step-up.ts';
import { toBase64Url, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { accountId, accountKeys, seededBytes, vectorKeyring } from '../given/seeded-values.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';

const serverStaticPublicKey = toBase64Url(seededBytes('OPAQUE server key', 32));
const exportKey = () => new Secret('ExportKey', seededBytes('export key', 64));
const entropy = () => new Secret('RecoveryEntropy', seededBytes('recovery entropy', 32));

const names = [
  'ada',
  ' Ada ',
  'Ada.Lovelace',
  'ＡＤＡ_9',
  'Straße-1',
  'ΟΔΥΣΣΕΥΣ',
  'İrem',
  'Zoe\u0308',
  'किशोर',
  '李小龙',
  'a'.repeat(64),
];
const refusedNames = [
  'ab',
  'a'.repeat(65),
  '.ada',
  'ada-',
  'a b',
  'ada@x',
  'ada\u200b',
  'ada\ufe0f',
  'ada😀',
  '\u0301ada',
  'ada\u115f',
];

export function makeNameVectors() {
  return {
    accepted: names.map((name) => ({
      name,
      normalised: normaliseUserName(name),
      nameTag: toHex(deriveNameTag(name)),
    })),
    refused: refusedNames,
  };
}

export function makeRecoveryVectors() {
  const keys = deriveRecoverySigningKeys(entropy());
  const claim = {
    challenge: seededBytes('challenge', 32),
    nameTag: deriveNameTag('ada'),
    issuedAtMs: 1_795_000_000_123,
  };
  return {
    entropy: toHex(entropy().expose()),
    words: encodeRecoveryPhrase(entropy()).join(' '),
    publicKey: toHex(keys.publicKey),
    challenge: toHex(claim.challenge),
    nameTag: toHex(claim.nameTag),
    issuedAtMs: claim.issuedAtMs,
    message: toHex(encodeRecoveryClaim(claim)),
    signature: toHex(keys.sign(claim)),
  };
}

export function makeStepUpVectors() {
  const keys = deriveRecoverySigningKeys(entropy());
  const body = { format: 1, expectedHead: toBase64Url(seededBytes('expected head', 32)), nested: { b: [2], a: 'ä' } };
  const claim = { act: 'change-password', nonce: seededBytes('nonce', 32), bodyDigest: digestActBody(body) } as const;
  return {
    act: claim.act,
    nonce: toHex(claim.nonce),
    body,
    bodyDigest: toHex(claim.bodyDigest),
    publicKey: toHex(keys.publicKey),
    message: toHex(encodeStepUpClaim(claim)),
    signature: toHex(keys.signStepUp(claim)),
  };
}

export function makeDerivedKeyVectors() {
  const keyring = vectorKeyring(3);
  return accountKeys.map(({ epoch, key }) => {
    const input = { accountId, accountKey: accountKeyOf(keyring, epoch) };
    return {
      epoch,
      accountId: toHex(accountId),
      accountKey: toHex(key),
      vaultHeadKey: toHex(deriveVaultHeadKey(input).expose()),
      keyslotListKey: toHex(deriveKeyslotListKey(input).expose()),
      draftKey: toHex(deriveDraftKey(input).expose()),
    };
  });
}

/** @param nameTag - null: keyslots of version 1. */
export function makeKeyslotVectors(nameTag: Uint8Array | null = null) {
  const inside = { serverStaticPublicKey, accountId };
  const password = (epoch: number, generation: number) => {
    const secret = exportKey();
    const keyEncryptionKey = deriveKeyEncryptionKey('password', secret);
    const place = {
      kind: 'password',
      slotId: seededBytes('password slot', 16),
      generation,
      stretching: 'argon2id-64mib-3',
    } as const;
    const accountKey = accountKeyOf(vectorKeyring(epoch), epoch);
    const body = wrapAccountKey({ ...place, ...inside, epoch, accountKey, keyEncryptionKey, nameTag });
    return { place, epoch, secret: secret.expose(), keyEncryptionKey, accountKey, body };
  };
  const recovery = (epoch: number, generation: number) => {
    const secret = entropy();
    const keyEncryptionKey = deriveKeyEncryptionKey('recovery', secret);
    const place = {
      kind: 'recovery',
      slotId: seededBytes('recovery slot', 16),
      generation,
      stretching: null,
    } as const;
    const accountKey = accountKeyOf(vectorKeyring(epoch), epoch);
    const body = wrapAccountKey({ ...place, ...inside, epoch, accountKey, keyEncryptionKey, nameTag });
    return { place, epoch, secret: secret.expose(), keyEncryptionKey, accountKey, body };
  };
  return [password(1, 1), recovery(1, 1), password(2, 2), recovery(2, 2)].map((slot) => ({
    kind: slot.place.kind,
    slotId: toHex(slot.place.slotId),
    generation: slot.place.generation,
    stretching: slot.place.stretching,
    secret: toHex(slot.secret),
    keyEncryptionKey: toHex(slot.keyEncryptionKey.expose()),
    epoch: slot.epoch,
    accountId: toHex(accountId),
    accountKey: toHex(slot.accountKey.expose()),
    serverStaticPublicKey,
    body: toHex(slot.body),
    digest: toHex(digestKeyslot(slot.body)),
  }));
}

type KeyslotVector = ReturnType<typeof makeKeyslotVectors>[number];

export function makeKeyslotListVectors(keyslots: readonly KeyslotVector[]) {
  return [1, 2].map((epoch) => {
    const keyring = vectorKeyring(epoch);
    const listKey = deriveKeyslotListKey({ accountId, accountKey: accountKeyOf(keyring, epoch) });
    const slots = keyslots.filter((slot) => slot.epoch === epoch);
    const body = encodeKeyslotList({
      listKey,
      epoch,
      slots: slots.map((slot) => ({
        slotId: Uint8Array.from(Buffer.from(slot.slotId, 'hex')),
        kind: slot.kind,
        generation: slot.generation,
        digest: Uint8Array.from(Buffer.from(slot.digest, 'hex')),
      })),
    });
    return {
      epoch,
      keyslotListKey: toHex(listKey.expose()),
      slots: slots
        .map(({ slotId, kind, generation, digest }) => ({ slotId, kind, generation, digest }))
        .toSorted((a, b) => (a.slotId < b.slotId ? -1 : 1)),
      body: toHex(body),
      digest: toHex(digestKeyslotList(body)),
    };
  });
}

export function makeKeyringVectors() {
  return [2, 3].map((epoch) => ({
    epoch,
    accountId: toHex(accountId),
    accountKey: toHex(accountKeys[epoch - 1]!.key),
    earlier: accountKeys
      .filter((entry) => entry.epoch < epoch)
      .map((entry) => ({ epoch: entry.epoch, accountKey: toHex(entry.key) })),
    body: toHex(sealKeyring(vectorKeyring(epoch))),
  }));
}
