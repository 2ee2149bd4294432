import { type Bytes, toHex, uint32 } from './bytes/bytes.ts';
import { CryptoError } from './bytes/errors.ts';
import { sha256 } from './bytes/hash.ts';

/** The clear columns of one item, as the tree commits to them (SPEC.md §6.1). */
export type LeafFields = {
  readonly id: Uint8Array;
  readonly version: number;
  readonly expiresAt: number;
  readonly flags: number;
  /** SHA-256 of the sealed body; of the empty string for a tombstone. */
  readonly bodyHash: Uint8Array;
};

const idLength = 16;
const maximumDepth = 8 * idLength;
const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);
const emptyHash = sha256(Uint8Array.of(2));

/** `SHA-256(0x00 || id (16) || version (4) || expires_at (4) || flags (1) || body hash (32))`. */
export function hashLeaf(leaf: LeafFields): Bytes {
  const { id, version, expiresAt, flags, bodyHash } = leaf;
  if (id.length !== idLength || bodyHash.length !== 32 || !Number.isInteger(flags) || flags < 0 || flags > 255) {
    throw new CryptoError('invalid-argument');
  }
  return sha256(leafPrefix, id, uint32(version), uint32(expiresAt), Uint8Array.of(flags), bodyHash);
}

type Leaf = { readonly id: Bytes; readonly hash: Bytes };
/** `hash` is null while something below has changed. */
type Node = { left: Subtree; right: Subtree; hash: Bytes | null };
type Subtree = Leaf | Node | null;

function isNode(subtree: Leaf | Node): subtree is Node {
  return 'left' in subtree;
}

/** Bits of an id from the highest of its first byte on; 0 goes left. */
function bitOf(id: Uint8Array, depth: number): 0 | 1 {
  return (((id[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) as 0 | 1;
}

function hashNode(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(nodePrefix, left, right);
}

function hashOf(subtree: Subtree): Bytes {
  if (subtree === null) return emptyHash;
  if (!isNode(subtree)) return subtree.hash;
  subtree.hash ??= hashNode(hashOf(subtree.left), hashOf(subtree.right));
  return subtree.hash;
}

function insert(subtree: Subtree, leaf: Leaf, depth: number): Leaf | Node {
  if (subtree === null) return leaf;
  if (isNode(subtree)) {
    const side = bitOf(leaf.id, depth) === 0 ? 'left' : 'right';
    subtree[side] = insert(subtree[side], leaf, depth + 1);
    subtree.hash = null;
    return subtree;
  }
  if (toHex(subtree.id) === toHex(leaf.id)) return leaf;
  const node: Node = { left: null, right: null, hash: null };
  node[bitOf(subtree.id, depth) === 0 ? 'left' : 'right'] = subtree;
  return insert(node, leaf, depth);
}

function remove(subtree: Subtree, id: Uint8Array, depth: number): Subtree {
  if (subtree === null) return null;
  if (!isNode(subtree)) return toHex(subtree.id) === toHex(id) ? null : subtree;
  const side = bitOf(id, depth) === 0 ? 'left' : 'right';
  subtree[side] = remove(subtree[side], id, depth + 1);
  const { left, right } = subtree;
  // One leaf alone stands for the whole subtree.
  if (left === null && (right === null || !isNode(right))) return right;
  if (right === null && left !== null && !isNode(left)) return left;
  subtree.hash = null;
  return subtree;
}

/**
 * The binary prefix tree over item ids (SPEC.md §6.1). The same leaves give the same root, in whatever order they came.
 *
 * Hashes are kept, so a change costs the nodes above it, about log2 of the number of items.
 */
export class MerkleTree {
  #root: Subtree = null;

  /** Adds a leaf, or replaces the one of this id. @param id - 16 bytes. */
  set(id: Uint8Array, leafHash: Uint8Array): void {
    if (id.length !== idLength || leafHash.length !== 32) throw new CryptoError('invalid-argument');
    this.#root = insert(this.#root, { id: id.slice() as Bytes, hash: leafHash.slice() as Bytes }, 0);
  }

  /** Takes a leaf out; nothing happens where there is none. */
  delete(id: Uint8Array): void {
    if (id.length !== idLength) throw new CryptoError('invalid-argument');
    this.#root = remove(this.#root, id, 0);
  }

  /** 32 bytes; SHA-256(0x02) while the tree is empty. */
  root(): Bytes {
    return hashOf(this.#root).slice();
  }

  /** @returns the hashes beside the path from the root down to the leaf, or null where there is no such leaf. */
  proof(id: Uint8Array): readonly Bytes[] | null {
    if (id.length !== idLength) throw new CryptoError('invalid-argument');
    const siblings: Bytes[] = [];
    let subtree = this.#root;
    while (subtree !== null && isNode(subtree)) {
      const goesLeft = bitOf(id, siblings.length) === 0;
      siblings.push(hashOf(goesLeft ? subtree.right : subtree.left).slice());
      subtree = goesLeft ? subtree.left : subtree.right;
    }
    return subtree !== null && toHex(subtree.id) === toHex(id) ? siblings : null;
  }
}

/** @returns whether these columns are a leaf of the tree with this root. @throws {CryptoError} `invalid-argument` for a leaf that `hashLeaf` refuses. */
export function verifyProof(input: {
  readonly root: Uint8Array;
  readonly leaf: LeafFields;
  readonly siblings: readonly Uint8Array[];
}): boolean {
  const { root, leaf, siblings } = input;
  if (siblings.length > maximumDepth || siblings.some((sibling) => sibling.length !== 32)) return false;
  let hash = hashLeaf(leaf);
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth];
    if (sibling === undefined) return false;
    hash = bitOf(leaf.id, depth) === 0 ? hashNode(hash, sibling) : hashNode(sibling, hash);
  }
  return toHex(hash) === toHex(root);
}
