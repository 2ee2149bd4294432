import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomBytes, toHex, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { hashLeaf, type LeafFields, MerkleTree, verifyProof } from '../../../crypto/protocol/merkle-tree.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import { filled } from '../../parts/crypto/sample-account.ts';

type Entry = { readonly id: Uint8Array; readonly hash: Uint8Array };
const hash = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const bit = (id: Uint8Array, depth: number) => (id[Math.floor(depth / 8)]! >> (7 - (depth % 8))) & 1;

/** SPEC.md §6.1 read as a definition, without a tree. */
function rootOf(entries: readonly Entry[], depth = 0): Uint8Array {
  if (entries.length === 0) return hash(Uint8Array.of(2));
  if (entries.length === 1) return entries[0]!.hash;
  const side = (value: number) =>
    rootOf(
      entries.filter(({ id }) => bit(id, depth) === value),
      depth + 1,
    );
  return hash(Uint8Array.of(1), side(0), side(1));
}

const leafOf = (id: Uint8Array, version = 1): LeafFields => ({
  id,
  version,
  expiresAt: 0,
  flags: 0,
  bodyHash: sha256(id),
});
const treeOf = (leaves: readonly LeafFields[]) => {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.set(leaf.id, hashLeaf(leaf));
  return tree;
};
/** Few ids, so that one is often set again or taken out; some share long prefixes. */
const idArbitrary = fc
  .tuple(fc.constantFrom(0, 1, 0x80, 0xff), fc.constantFrom(0, 7, 15), fc.constantFrom(0, 1, 2, 255))
  .map(([fill, at, value]) => filled(16, fill).map((byte, place) => (place === at ? value : byte)));

describe('MerkleTree', () => {
  it('empty, one leaf, two leaves', () => {
    const [left, right] = [filled(16, 0x10), filled(16, 0x90)];
    const tree = new MerkleTree();
    expect(toHex(tree.root())).toBe(hash(Uint8Array.of(2)).toString('hex'));
    tree.set(left, filled(32, 1));
    expect(tree.root()).toEqual(filled(32, 1));
    tree.set(right, filled(32, 2));
    expect(toHex(tree.root())).toBe(hash(Uint8Array.of(1), filled(32, 1), filled(32, 2)).toString('hex'));
  });

  it('two ids that differ in the last bit stand at depth 128', () => {
    const [first, second] = [filled(16, 0), filled(16, 0)];
    second[15] = 1;
    const tree = treeOf([leafOf(first), leafOf(second)]);
    expect(tree.proof(first)).toHaveLength(128);
    expect(toHex(tree.root())).toBe(
      toHex(rootOf([leafOf(first), leafOf(second)].map((leaf) => ({ id: leaf.id, hash: hashLeaf(leaf) })))),
    );
  });

  it('is the definition after any sets and deletes, in any order', () => {
    const step = fc.record({ id: idArbitrary, version: fc.integer({ min: 1, max: 3 }), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tree = new MerkleTree();
        const model = new Map<string, Entry>();
        for (const { id, version, remove } of steps) {
          const entry = { id, hash: hashLeaf(leafOf(id, version)) };
          if (remove) {
            tree.delete(id);
            model.delete(toHex(id));
          } else {
            tree.set(id, entry.hash);
            model.set(toHex(id), entry);
          }
          // Asked in between, so that kept hashes are there to go stale.
          if (version === 1) tree.root();
        }
        expect(toHex(tree.root())).toBe(toHex(rootOf([...model.values()])));
      }),
      { numRuns: 300 },
    );
  });

  it('3,000 random ids: the definition, whatever the order', () => {
    const leaves = Array.from({ length: 3000 }, () => leafOf(randomBytes(16)));
    const expected = toHex(rootOf(leaves.map((leaf) => ({ id: leaf.id, hash: hashLeaf(leaf) }))));
    expect(toHex(treeOf(leaves).root())).toBe(expected);
    expect(toHex(treeOf(leaves.toReversed()).root())).toBe(expected);
  });

  it('keeps its own copies', () => {
    const id = filled(16, 1);
    const leafHash = filled(32, 1);
    const tree = new MerkleTree();
    tree.set(id, leafHash);
    id.fill(9);
    leafHash.fill(9);
    tree.root().fill(9);
    expect(tree.root()).toEqual(filled(32, 1));
    expect(tree.proof(filled(16, 1))).toEqual([]);
  });

  it('misuse: other lengths are refused', () => {
    const tree = new MerkleTree();
    expect(refusalOf(() => tree.set(filled(15, 1), filled(32, 1)))).toBe('invalid-argument');
    expect(refusalOf(() => tree.set(filled(16, 1), filled(31, 1)))).toBe('invalid-argument');
    expect(refusalOf(() => tree.delete(filled(17, 1)))).toBe('invalid-argument');
    expect(refusalOf(() => tree.proof(filled(0, 1)))).toBe('invalid-argument');
  });
});

describe('a relay that lies about items changes the root', () => {
  const leaves = Array.from({ length: 40 }, (_, place) => leafOf(sha256(uint32(place)).slice(0, 16)));
  const honest = toHex(treeOf(leaves).root());
  const changed = (change: Partial<LeafFields>) =>
    toHex(treeOf(leaves.map((leaf, place) => (place === 20 ? { ...leaf, ...change } : leaf))).root());

  it('the same leaves give the same root', () => {
    expect(changed({})).toBe(honest);
  });

  it.each([
    ['M16: the newest dropped', leaves.slice(0, -1)],
    ['M17: one in the middle dropped', leaves.toSpliced(20, 1)],
    ['M26: half of them hidden', leaves.slice(0, 20)],
    ['one invented', [...leaves, leafOf(filled(16, 7))]],
  ])('%s', (_, given) => {
    expect(toHex(treeOf(given).root())).not.toBe(honest);
  });

  it.each([
    ['M18: an old version', { version: 2 }],
    ['M21: another expiry', { expiresAt: 1 }],
    ['M20: a deleted item brought back, or one deleted', { flags: 1 }],
    ['M13: another body', { bodyHash: filled(32, 1) }],
  ])('%s', (_, change) => {
    expect(changed(change)).not.toBe(honest);
  });

  it('M14: two bodies swapped', () => {
    const [first, second] = [leaves[3]!, leaves[4]!];
    const swapped = leaves
      .with(3, { ...first, bodyHash: second.bodyHash })
      .with(4, { ...second, bodyHash: first.bodyHash });
    expect(toHex(treeOf(swapped).root())).not.toBe(honest);
  });

  it('no sum of leaves: the same hashes under other ids have another root', () => {
    const tree = new MerkleTree();
    for (const [place, leaf] of leaves.entries()) tree.set(leaf.id, hashLeaf(leaves[(place + 1) % leaves.length]!));
    expect(toHex(tree.root())).not.toBe(honest);
  });
});

describe('hashLeaf', () => {
  it('is SHA-256 over 0x00 and 57 bytes', () => {
    const leaf = { id: filled(16, 1), version: 2, expiresAt: 3, flags: 1, bodyHash: filled(32, 4) };
    const input = Buffer.from(`00${'01'.repeat(16)}000000020000000301${'04'.repeat(32)}`, 'hex');
    expect(toHex(hashLeaf(leaf))).toBe(hash(input).toString('hex'));
  });

  it.each([
    ['an id of 15 bytes', { id: filled(15, 1) }],
    ['a body hash of 31 bytes', { bodyHash: filled(31, 1) }],
    ['a negative version', { version: -1 }],
    ['an expiry of 2^32', { expiresAt: 2 ** 32 }],
    ['flags of 256', { flags: 256 }],
    ['fractional flags', { flags: 0.5 }],
  ])('refuses %s', (_, change) => {
    expect(refusalOf(() => hashLeaf({ ...leafOf(filled(16, 1)), ...change }))).toBe('invalid-argument');
  });
});

describe('proofs', () => {
  const leaves = Array.from({ length: 100 }, (_, place) => leafOf(sha256(uint32(place)).slice(0, 16)));
  const tree = treeOf(leaves);
  const root = tree.root();

  it('every leaf has one, and it verifies', () => {
    const verified = leaves.filter((leaf) => verifyProof({ root, leaf, siblings: tree.proof(leaf.id)! }));
    expect(verified).toHaveLength(100);
  });

  it('there is none for an item that is not there', () => {
    expect(tree.proof(filled(16, 3))).toBeNull();
    expect(new MerkleTree().proof(filled(16, 3))).toBeNull();
  });

  it('verify: rejects changed columns, siblings, order and length', () => {
    const leaf = leaves[0]!;
    const siblings = tree.proof(leaf.id)!;
    const flipped = siblings.map((sibling, place) => (place === 0 ? sibling.map((byte) => byte ^ 1) : sibling));
    expect(siblings.length).toBeGreaterThan(2);
    expect(verifyProof({ root, leaf, siblings })).toBe(true);
    expect(verifyProof({ root, leaf: { ...leaf, version: 2 }, siblings })).toBe(false);
    expect(verifyProof({ root, leaf: leaves[1]!, siblings })).toBe(false);
    expect(verifyProof({ root, leaf, siblings: flipped })).toBe(false);
    expect(verifyProof({ root, leaf, siblings: siblings.toReversed() })).toBe(false);
    expect(verifyProof({ root, leaf, siblings: siblings.slice(1) })).toBe(false);
    expect(verifyProof({ root, leaf, siblings: [...siblings, filled(32, 0)] })).toBe(false);
    expect(verifyProof({ root, leaf, siblings: [filled(31, 0)] })).toBe(false);
    expect(verifyProof({ root, leaf, siblings: Array.from({ length: 129 }, () => filled(32, 0)) })).toBe(false);
    expect(verifyProof({ root: filled(32, 0), leaf, siblings })).toBe(false);
  });
});
