import { describe, expect, it } from 'vitest';
import { deriveDraftKey, deriveKeyslotListKey, deriveVaultHeadKey } from '../../crypto/account/account-key.ts';
import { createKeyring, type Keyring, openKeyring } from '../../crypto/account/keyring.ts';
import { digestKeyslot, digestKeyslotList, openKeyslotList } from '../../crypto/account/keyslot-list.ts';
import { deriveKeyEncryptionKey, unwrapAccountKey } from '../../crypto/account/keyslot.ts';
import { deriveNameTag, normaliseUserName } from '../../crypto/account/name-tag.ts';
import { deriveRecoverySigningKeys, parseRecoveryPhrase } from '../../crypto/account/recovery-phrase.ts';
import { verifyRecoverySignature } from '../../crypto/sign-in/recovery-signature.ts';
import { digestActBody, verifyStepUpSignature } from '../../crypto/sign-in/step-up.ts';
import * as v from 'valibot';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { fromHex, toHex } from '../../crypto/protocol/bytes/bytes.ts';
import { decodeCanonicalJson } from '../../crypto/protocol/json/canonical-json.ts';
import { sha256 } from '../../crypto/protocol/bytes/hash.ts';
import { Secret } from '../../crypto/protocol/bytes/secret.ts';
import { sizeClassOf } from '../../crypto/protocol/bytes/size-class.ts';
import { openUnsentText } from '../../crypto/vault/unsent-text.ts';
import { decodeItemContent } from '../../crypto/vault/item-content.ts';
import { openItem } from '../../crypto/vault/item.ts';
import { hashLeaf, MerkleTree, verifyProof } from '../../crypto/protocol/merkle-tree.ts';
import { hashHead, openHead, verifyHeadChain } from '../../crypto/vault/vault-head.ts';
import { refusalOf } from '../parts/crypto/refusal.ts';
import frozen from '../vectors/sotto-v1.json' with { type: 'json' };
import { makeVaultVectors } from '../vectors/making/sotto-v1/sotto-v1.ts';

await aeadReady();

type AccountFields = { readonly accountId: string; readonly accountKey: string; readonly epoch: number };
const keyringOf = ({ accountId, accountKey, epoch }: AccountFields): Keyring =>
  createKeyring({ accountId: fromHex(accountId), epoch, accountKey: new Secret('AccountKey', fromHex(accountKey)) });

it('the writer of today writes the frozen bytes, given the same random ones', () => {
  expect(JSON.parse(JSON.stringify(makeVaultVectors()))).toEqual(frozen);
});

describe('encodings', () => {
  it.each(frozen.encodings.canonicalJson)('$bytes', ({ value, bytes }) => {
    expect(decodeCanonicalJson(fromHex(bytes), v.unknown(), 1000)).toEqual(value);
  });

  it.each(frozen.encodings.refusedJson)('%s is refused', (bytes) => {
    expect(refusalOf(() => decodeCanonicalJson(fromHex(bytes), v.unknown(), 1000))).toBe('malformed');
  });

  it.each(frozen.encodings.sizeClasses)('$length is padded to $padded', ({ length, padded }) => {
    expect(sizeClassOf(length)).toBe(padded);
  });
});

describe('names and recovery', () => {
  it.each(frozen.names.accepted)('$name', ({ name, normalised, nameTag }) => {
    expect(normaliseUserName(name)).toBe(normalised);
    expect(toHex(deriveNameTag(name))).toBe(nameTag);
  });

  it.each(frozen.names.refused)('%j is refused', (name) => {
    expect(refusalOf(() => deriveNameTag(name))).toBe('invalid-user-name');
  });

  it('phrase, key and signature', () => {
    const { words, entropy, publicKey, signature, challenge, nameTag, issuedAtMs } = frozen.recovery;
    const opened = parseRecoveryPhrase(words);
    expect(toHex(opened.expose())).toBe(entropy);
    expect(toHex(deriveRecoverySigningKeys(opened).publicKey)).toBe(publicKey);
    const claim = { challenge: fromHex(challenge), nameTag: fromHex(nameTag), issuedAtMs };
    const signed = { ...claim, publicKey: fromHex(publicKey), signature: fromHex(signature) };
    expect(verifyRecoverySignature(signed)).toBe(true);
    expect(verifyRecoverySignature({ ...signed, issuedAtMs: issuedAtMs + 1 })).toBe(false);
  });

  it('fresh proof: digest and signature', () => {
    const { nonce, body, bodyDigest, publicKey, signature } = frozen.stepUp;
    expect(toHex(digestActBody(body))).toBe(bodyDigest);
    const claim = { act: 'change-password', nonce: fromHex(nonce), bodyDigest: fromHex(bodyDigest) } as const;
    const signed = { ...claim, publicKey: fromHex(publicKey), signature: fromHex(signature) };
    expect(verifyStepUpSignature(signed)).toBe(true);
    expect(verifyStepUpSignature({ ...signed, bodyDigest: fromHex(nonce) })).toBe(false);
  });
});

describe('keys', () => {
  it.each(frozen.derivedKeys)('derived keys of epoch $epoch', (vector) => {
    const input = {
      accountId: fromHex(vector.accountId),
      accountKey: new Secret('AccountKey', fromHex(vector.accountKey)),
    };
    expect(toHex(deriveVaultHeadKey(input).expose())).toBe(vector.vaultHeadKey);
    expect(toHex(deriveKeyslotListKey(input).expose())).toBe(vector.keyslotListKey);
    expect(toHex(deriveDraftKey(input).expose())).toBe(vector.draftKey);
  });

  it.each(frozen.keyslots)('keyslot $kind, epoch $epoch', (vector) => {
    const isPassword = vector.kind === 'password';
    const keyEncryptionKey = isPassword
      ? deriveKeyEncryptionKey('password', new Secret('ExportKey', fromHex(vector.secret)))
      : deriveKeyEncryptionKey('recovery', new Secret('RecoveryEntropy', fromHex(vector.secret)));
    expect(toHex(keyEncryptionKey.expose())).toBe(vector.keyEncryptionKey);
    const opened = unwrapAccountKey({
      nameTag: null,
      kind: isPassword ? 'password' : 'recovery',
      slotId: fromHex(vector.slotId),
      generation: vector.generation,
      stretching: isPassword ? 'argon2id-64mib-3' : null,
      serverStaticPublicKey: isPassword ? vector.serverStaticPublicKey : null,
      keyEncryptionKey,
      body: fromHex(vector.body),
    });
    expect(toHex(opened.accountId)).toBe(vector.accountId);
    expect(toHex(opened.accountKey.expose())).toBe(vector.accountKey);
    expect(opened.epoch).toBe(vector.epoch);
    expect(opened.serverStaticPublicKey).toBe(vector.serverStaticPublicKey);
    expect(toHex(digestKeyslot(fromHex(vector.body)))).toBe(vector.digest);
  });

  it.each(frozen.keyslotLists)('keyslot list of epoch $epoch', (vector) => {
    const listKey = new Secret('KeyslotListKey', fromHex(vector.keyslotListKey));
    const list = openKeyslotList({ listKey, body: fromHex(vector.body) });
    const slots = list.slots.map((slot) => ({ ...slot, slotId: toHex(slot.slotId), digest: toHex(slot.digest) }));
    expect({ epoch: list.epoch, slots }).toEqual({ epoch: vector.epoch, slots: vector.slots });
    expect(toHex(digestKeyslotList(fromHex(vector.body)))).toBe(vector.digest);
  });

  it.each(frozen.keyrings)('keyring of epoch $epoch', (vector) => {
    const accountKey = new Secret('AccountKey', fromHex(vector.accountKey));
    const opening = { accountId: fromHex(vector.accountId), epoch: vector.epoch, accountKey };
    const keyring = openKeyring({ ...opening, body: fromHex(vector.body) });
    const earlier = vector.earlier.map((entry) => [entry.epoch, entry.accountKey]);
    const opened = [...keyring.keys].map(([epoch, key]) => [epoch, toHex(key.expose())]);
    expect(opened).toEqual([...earlier, [vector.epoch, vector.accountKey]]);
  });
});

describe('vault', () => {
  it.each(frozen.items)('item: $name', (vector) => {
    const place = { itemId: fromHex(vector.itemId), version: vector.version, expiresAt: vector.expiresAt };
    const opened = openItem({ keyring: keyringOf(vector), ...place, body: fromHex(vector.body) });
    expect(toHex(opened)).toBe(vector.content);
    expect(vector.json === null ? null : decodeItemContent(opened)).toEqual(vector.json);
    expect(toHex(sha256(fromHex(vector.body)))).toBe(vector.bodyHash);
  });

  const { bodies, ...refused } = frozen.refusedItems;
  it.each(bodies)('item, $name: $result', ({ result, body }) => {
    const place = { itemId: fromHex(refused.itemId), version: refused.version, expiresAt: refused.expiresAt };
    const keyring = keyringOf({ ...refused, epoch: 1 });
    expect(refusalOf(() => openItem({ keyring, ...place, body: fromHex(body) }))).toBe(result);
  });

  it.each(frozen.drafts)('draft: $draftId', (vector) => {
    expect(openUnsentText({ keyring: keyringOf(vector), placeId: vector.draftId, body: fromHex(vector.body) })).toBe(
      vector.text,
    );
  });

  it.each(frozen.trees)('tree %#: $root', ({ leaves, root }) => {
    const tree = new MerkleTree();
    const fields = leaves.map((leaf) => ({ ...leaf, id: fromHex(leaf.id), bodyHash: fromHex(leaf.bodyHash) }));
    for (const leaf of fields) tree.set(leaf.id, hashLeaf(leaf));
    expect(toHex(tree.root())).toBe(root);
    expect(fields.map((leaf) => toHex(hashLeaf(leaf)))).toEqual(leaves.map(({ leafHash }) => leafHash));
    const proven = fields.filter((leaf) =>
      verifyProof({ root: fromHex(root), leaf, siblings: leaf.proof.map(fromHex) }),
    );
    expect(proven).toHaveLength(leaves.length);
  });

  it.each(frozen.heads)('head $counter', (vector) => {
    const head = openHead({ keyring: keyringOf(vector), body: fromHex(vector.body) });
    expect(head.counter).toBe(vector.counter);
    expect(head.epoch).toBe(vector.epoch);
    expect(toHex(head.previousHash)).toBe(vector.previousHash);
    expect(toHex(head.itemsRoot)).toBe(vector.itemsRoot);
    expect(toHex(head.keyslotListDigest)).toBe(vector.keyslotListDigest);
    expect(head.prunedBefore).toBe(vector.prunedBefore);
    expect(toHex(hashHead(fromHex(vector.body)))).toBe(vector.hash);
  });

  it('the heads are a chain, over a rotation', () => {
    const newest = frozen.keyrings[0]!;
    const accountKey = new Secret('AccountKey', fromHex(newest.accountKey));
    const keyring = openKeyring({
      accountId: fromHex(newest.accountId),
      epoch: 2,
      accountKey,
      body: fromHex(newest.body),
    });
    const heads = frozen.heads.map(({ counter, body }) => ({ counter, body: fromHex(body) }));
    expect(verifyHeadChain({ keyring, from: null, heads }).counter).toBe(4);
    const gap = heads.toSpliced(1, 1);
    expect(refusalOf(() => verifyHeadChain({ keyring, from: null, heads: gap }))).toBe('out-of-order');
  });
});
