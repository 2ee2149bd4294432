import { describe, expect, test } from 'vitest';
import {
  emptyRoot,
  hashLogLeaf,
  hashLogNode,
  verifyInclusion,
} from '../../../../crypto/evidence/modal/inclusion-proof.ts';
import { fromHex, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { auditPath, leafHash, treeHash } from '../../../parts/evidence/modal/paper-log.ts';

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));
const bytes = (hash: Uint8Array) => new Uint8Array(hash);

/** The test tree of Certificate Transparency's reference implementations. */
const published = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];

test('the published tree of eight entries', () => {
  expect(toHex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const leaves = published.map((entry) => hashLogLeaf(fromHex(entry)));
  expect(toHex(leaves[0]!)).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  const [a, b, c, d, e, f, g, h] = leaves.map((leaf) => leaf);
  const left = hashLogNode(hashLogNode(a!, b!), hashLogNode(c!, d!));
  const right = hashLogNode(hashLogNode(e!, f!), hashLogNode(g!, h!));
  expect(toHex(hashLogNode(left, right))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
});

describe('verifyInclusion', () => {
  test('every place of every size up to 40, and none other', () => {
    const wrong: string[] = [];
    for (let size = 1; size <= 40; size++) {
      const leaves = leavesOf(size);
      const rootHash = treeHash(leaves);
      for (let leafIndex = 0; leafIndex < size; leafIndex++) {
        const proof = auditPath(leafIndex, leaves);
        const input = { leafHash: leaves[leafIndex]!, leafIndex, size, rootHash, proof };
        expect(verifyInclusion(input)).toBe(true);
        const variants = [
          { ...input, proof: [...proof, rootHash] },
          { ...input, size: leafIndex },
          ...proof.map((_, place) => ({ ...input, proof: proof.toSpliced(place, 1) })),
          ...proof.map((_, place) => ({ ...input, proof: proof.with(place, rootHash) })),
          ...leaves.map((_, other) => ({ ...input, leafIndex: other })).toSpliced(leafIndex, 1),
        ];
        wrong.push(...variants.filter((variant) => verifyInclusion(variant)).map(() => `${leafIndex} of ${size}`));
      }
    }
    expect(wrong).toEqual([]);
  });

  test('a log of two entries', () => {
    const [first, second] = leavesOf(2);
    const input = { leafHash: first!, leafIndex: 0, size: 2, rootHash: hashLogNode(first!, second!), proof: [second!] };
    expect(verifyInclusion(input)).toBe(true);
  });

  test('places beyond 2^32', () => {
    const leaf = leafHash(Buffer.from('x'));
    // A tree of 2^40 equal subtrees: every sibling is the hash of the level.
    const proof: Uint8Array[] = [];
    let hash: Uint8Array = leaf;
    for (let level = 0; level < 40; level++) {
      proof.push(hash);
      hash = hashLogNode(hash, hash);
    }
    const input = { leafHash: leaf, leafIndex: 2 ** 39 + 2 ** 33 + 5, size: 2 ** 40, rootHash: hash, proof };
    expect(verifyInclusion(input)).toBe(true);
    expect(verifyInclusion({ ...input, proof: proof.slice(1) })).toBe(false);
    expect(verifyInclusion({ ...input, leafIndex: 2 ** 40 })).toBe(false);
  });

  const leaves = leavesOf(7);
  const rootHash = treeHash(leaves);
  /** A log of two entries whose second leaf hash is this. */
  const pairWith = (sibling: Uint8Array) => ({
    leafHash: leaves[0]!,
    leafIndex: 0,
    size: 2,
    rootHash: hashLogNode(leaves[0]!, sibling),
    proof: [sibling],
  });
  const right = { leafHash: bytes(leaves[3]!), leafIndex: 3, size: 7, rootHash, proof: auditPath(3, leaves) };
  test.each([
    ['an empty log', { size: 0 }],
    ['a place below nothing', { leafIndex: -1 }],
    ['a place with a fraction', { leafIndex: 3.5 }],
    ['a size that is no number', { size: Number.NaN }],
    ['a size beyond 2^53', { size: 2 ** 60 }],
    ['a sibling of 31 bytes', pairWith(new Uint8Array(31))],
    ['a sibling of 33 bytes', pairWith(new Uint8Array(33))],
    [
      'a root above the root',
      { leafIndex: 0, size: 1, leafHash: rootHash, rootHash: hashLogNode(leaves[0]!, rootHash), proof: [leaves[0]!] },
    ],
    ['more siblings than any log has', { proof: Array.from({ length: 64 }, () => new Uint8Array(32)) }],
    ['a leaf of nothing', { leafHash: new Uint8Array(0) }],
    ['the root as its own leaf', { leafHash: rootHash, proof: [] }],
  ])('refuses %s', (_name, change) => {
    expect(verifyInclusion({ ...right, ...change })).toBe(false);
    expect(verifyInclusion(right)).toBe(true);
  });
});
