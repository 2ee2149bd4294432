import { describe, expect, test } from 'vitest';
import { deriveSealing } from '../primitives/committed-seal.ts';
import { header, lp, sha256, u32, zeros } from '../protocol/conventions.ts';
import { followHeads, openHead, sealHead, type Head } from '../vault/head.ts';
import { readItemContent, writeItemContent } from '../vault/item-content.ts';
import { openDraft, openItem, sealDraft, sealItem, type ItemPlace } from '../vault/items.ts';
import type { Keyring } from '../account/keyring.ts';
import { pad } from '../protocol/size-class.ts';
import { isInTree, itemsRoot, leafHash, proofOf, type Leaf } from '../protocol/tree.ts';
import { accountVectors, codeOf, codesOfFlips, fromHex, saltOf, toHex } from './vectors.ts';
import type { JsonObject } from '../protocol/canonical-json.ts';

type Keyed = { epoch: number; accountId: string; accountKey: string };
const keyringOf = ({ epoch, accountId, accountKey }: Keyed): Keyring => ({
  accountId: fromHex(accountId),
  keys: [{ epoch, accountKey: fromHex(accountKey) }],
});

describe.each(accountVectors.items)('item: $name', (entry) => {
  const keyring = keyringOf(entry);
  const place: ItemPlace = {
    itemId: fromHex(entry.itemId),
    version: entry.version,
    expiresAt: entry.expiresAt,
  };
  const content = fromHex(entry.content);
  const body = fromHex(entry.body);

  test('every step, both ways', () => {
    const info = lp('sotto/v1/item', keyring.accountId, place.itemId);
    const sealedHeader = header(entry.epoch);
    const parts = [keyring.accountId, place.itemId, u32(place.version), u32(place.expiresAt)];
    const sealing = deriveSealing(fromHex(entry.accountKey), fromHex(entry.salt), info);
    expect({
      header: toHex(sealedHeader),
      info: toHex(info),
      associatedData: toHex(lp(sealedHeader, ...parts)),
      key: toHex(sealing.key),
      nonce: toHex(sealing.nonce),
      commitment: toHex(sealing.commitment),
      plaintextLength: pad(content).length,
      body: toHex(sealItem(keyring, place, content, fromHex(entry.salt))),
      bodyHash: toHex(sha256(body)),
      content: toHex(openItem(keyring, place, body)),
    }).toEqual({
      header: entry.header,
      info: entry.info,
      associatedData: entry.associatedData,
      key: entry.key,
      nonce: entry.nonce,
      commitment: entry.commitment,
      plaintextLength: entry.plaintextLength,
      body: entry.body,
      bodyHash: entry.bodyHash,
      content: entry.content,
    });
  });

  test('refuses another place', () => {
    const openCode = (changed: Partial<ItemPlace>): string =>
      codeOf(() => openItem(keyring, { ...place, ...changed }, body));
    expect(openCode({ version: 3 })).toBe('open-failed');
    expect(openCode({ expiresAt: 7 })).toBe('open-failed');
    expect(openCode({ itemId: zeros(16) })).toBe('open-failed');
    expect(codeOf(() => openItem({ ...keyring, accountId: zeros(16) }, place, body))).toBe('open-failed');
  });
});

const contents = accountVectors.items.map(({ content, json }): [string, (JsonObject & { type: string }) | null] => [
  content,
  json,
]);

test.each(contents.filter(([, json]) => json !== null))('item content: both ways: %s', (content, json) => {
  const { type, ...members } = json!;
  expect(readItemContent(fromHex(content))).toEqual({ type, members });
  expect(toHex(writeItemContent(type, members))).toBe(content);
});

test.each(contents.filter(([, json]) => json === null))(
  'item content: none where sealing alone is tested: %s',
  (content) => {
    expect(codeOf(() => readItemContent(fromHex(content)))).toBe('malformed');
  },
);

describe('refused items', () => {
  const { bodies, ...stated } = accountVectors.refusedItems;
  const keyring = keyringOf({ ...stated, epoch: 1 });
  const place = { itemId: fromHex(stated.itemId), version: stated.version, expiresAt: stated.expiresAt };

  test.each(bodies)('$name: $result', ({ body, result }) => {
    expect(codeOf(() => openItem(keyring, place, fromHex(body)))).toBe(result);
  });
});

test.each(accountVectors.drafts)('draft: $draftId', (entry) => {
  const keyring = keyringOf(entry);
  expect(openDraft(keyring, entry.draftId, fromHex(entry.body))).toBe(entry.text);
  expect(toHex(sealDraft(keyring, entry.draftId, entry.text, saltOf(entry.body)))).toBe(entry.body);
  expect(codeOf(() => openDraft(keyring, 'elsewhere', fromHex(entry.body)))).toBe('open-failed');
});

describe.each(accountVectors.trees)('tree: root $root', (tree) => {
  const leaves: Leaf[] = tree.leaves.map((leaf) => ({
    ...leaf,
    id: fromHex(leaf.id),
    bodyHash: fromHex(leaf.bodyHash),
  }));
  const root = fromHex(tree.root);

  test('leaves, root and proofs', () => {
    expect(leaves.map((leaf) => toHex(leafHash(leaf)))).toEqual(tree.leaves.map((leaf) => leaf.leafHash));
    expect(toHex(itemsRoot(leaves))).toBe(tree.root);
    expect(toHex(itemsRoot(leaves.toReversed()))).toBe(tree.root);
    for (const [index, leaf] of leaves.entries()) {
      const proof = tree.leaves[index]!.proof.map(fromHex);
      expect(proofOf(leaves, leaf.id)).toEqual(proof);
      expect(isInTree(leaf, proof, root)).toBe(true);
      expect(isInTree({ ...leaf, version: leaf.version + 1 }, proof, root)).toBe(false);
      expect(isInTree(leaf, [...proof, zeros(32)], root)).toBe(false);
      expect(isInTree(leaf, proof, zeros(32))).toBe(false);
    }
  });
});

describe('heads', () => {
  const rotated = accountVectors.keyrings[0]!;
  const keyring: Keyring = {
    accountId: fromHex(rotated.accountId),
    keys: [...rotated.earlier, rotated].map((key) => ({ epoch: key.epoch, accountKey: fromHex(key.accountKey) })),
  };
  const outer = accountVectors.heads.map(({ counter, body }) => ({ counter, body: fromHex(body) }));
  const headOf = (entry: (typeof accountVectors.heads)[number]): Head => ({
    counter: entry.counter,
    previousHash: fromHex(entry.previousHash),
    epoch: entry.epoch,
    itemsRoot: fromHex(entry.itemsRoot),
    keyslotListDigest: fromHex(entry.keyslotListDigest),
    prunedBefore: entry.prunedBefore,
  });

  test.each(accountVectors.heads)('head $counter: opens, and is made again', (entry) => {
    const body = fromHex(entry.body);
    expect(openHead(keyring, body)).toEqual(headOf(entry));
    expect(toHex(sealHead(keyring, headOf(entry), saltOf(entry.body)))).toBe(entry.body);
    expect(toHex(sha256(body))).toBe(entry.hash);
    expect(codeOf(() => openHead(keyring, body.slice(0, -1)))).toBe('malformed');
    const codes = codesOfFlips(body, (changed) => openHead(keyring, changed));
    expect(codes.slice(0, 2)).toEqual(['unsupported-version', 'unsupported-suite']);
    expect(new Set(codes.slice(6))).toEqual(new Set(['open-failed']));
  });

  test('chain: is followed over the rotation', () => {
    const last = headOf(accountVectors.heads.at(-1)!);
    expect(followHeads(keyring, null, outer)).toEqual(last);
    const first = { counter: 1, hash: fromHex(accountVectors.heads[0]!.hash) };
    expect(followHeads(keyring, first, outer.slice(1))).toEqual(last);
  });

  test.each([
    ['with its second head left out', outer.toSpliced(1, 1)],
    ['with its third head left out', outer.toSpliced(2, 1)],
    ['with two heads exchanged', [outer[0]!, outer[2]!, outer[1]!, outer[3]!]],
    ['with a head twice', [outer[0]!, outer[0]!]],
    ['that ends before the current epoch', outer.slice(0, 2)],
    ['with another counter outside', outer.with(3, { ...outer[3]!, counter: 5 })],
  ])('chain: refuses one %s', (_, heads) => {
    expect(codeOf(() => followHeads(keyring, null, heads))).toBe('out-of-order');
  });

  test('head: refuses an epoch without a key', () => {
    const first = { ...keyring, keys: keyring.keys.slice(0, 1) };
    expect(codeOf(() => openHead(first, outer[3]!.body))).toBe('unknown-key');
  });
});
