import { isEqual, sha256, u32, u8, type Bytes } from './conventions.ts';

/** The relay sees this of an item (SPEC.md §6.1). */
export type Leaf = { id: Bytes; version: number; expiresAt: number; flags: number; bodyHash: Bytes };
type HashedLeaf = { id: Bytes; hash: Bytes };

const emptyHash = sha256(u8(2));

export const leafHash = ({ id, version, expiresAt, flags, bodyHash }: Leaf): Bytes =>
  sha256(u8(0), id, u32(version), u32(expiresAt), u8(flags), bodyHash);

const nodeHash = (left: Bytes, right: Bytes): Bytes => sha256(u8(1), left, right);
const bitOf = (id: Bytes, depth: number): number => ((id[Math.floor(depth / 8)] ?? 0) >> (7 - (depth % 8))) & 1;
const hashed = (leaves: readonly Leaf[]): HashedLeaf[] => leaves.map((leaf) => ({ id: leaf.id, hash: leafHash(leaf) }));

function rootAt(leaves: readonly HashedLeaf[], depth: number): Bytes {
  const [first] = leaves;
  if (first === undefined) return emptyHash;
  if (leaves.length === 1) return first.hash;
  const [left, right] = halves(leaves, depth);
  return nodeHash(rootAt(left, depth + 1), rootAt(right, depth + 1));
}

const halves = (leaves: readonly HashedLeaf[], depth: number): [HashedLeaf[], HashedLeaf[]] => [
  leaves.filter(({ id }) => bitOf(id, depth) === 0),
  leaves.filter(({ id }) => bitOf(id, depth) === 1),
];

/** Root of the prefix tree (SPEC.md §6.1). */
export const itemsRoot = (leaves: readonly Leaf[]): Bytes => rootAt(hashed(leaves), 0);

/** The hashes beside the path to an id that is in the tree, from the root down. */
export function proofOf(leaves: readonly Leaf[], id: Bytes): Bytes[] {
  const siblings: Bytes[] = [];
  let rest = hashed(leaves);
  for (let depth = 0; rest.length > 1; depth++) {
    const [left, right] = halves(rest, depth);
    const isRight = bitOf(id, depth) === 1;
    siblings.push(rootAt(isRight ? left : right, depth + 1));
    rest = isRight ? right : left;
  }
  return siblings;
}

export function isInTree(leaf: Leaf, proof: readonly Bytes[], root: Bytes): boolean {
  if (proof.length > 128 || proof.some((sibling) => sibling.length !== 32)) return false;
  const result = proof.reduceRight(
    (hash, sibling, depth) => (bitOf(leaf.id, depth) === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash)),
    leafHash(leaf),
  );
  return isEqual(result, root);
}
