import { emptyRoot, hashLogLeaf, hashLogNode } from '../../crypto/evidence/modal/inclusion-proof.ts';
import { tileWidth } from '../../crypto/evidence/modal/log-tiles.ts';
import { type Bytes, equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { RegistrarDatabase } from '../storage/registrar-database.ts';

/** Levels of the tree that one tile spans. */
const tileHeight = 8;

type Node = { readonly height: number; readonly place: number; readonly hash: Bytes };

/**
 * The Merkle tree of the log (RFC 6962 §2.1). Every root of a whole subtree is a row of its own, so that root and proof cost a
 * few rows each. It keeps nothing in memory that a crash could leave behind.
 */
export class LogTree {
  readonly #database: RegistrarDatabase;

  constructor(database: RegistrarDatabase) {
    this.#database = database;
  }

  get size(): number {
    return Number(this.#database.get('select coalesce(max(place) + 1, 0) as size from log_entry')?.['size'] ?? 0);
  }

  /** Inside a transaction of the caller. @returns the place of the entry. */
  append(entry: Uint8Array): number {
    const leafIndex = this.size;
    this.#database.run('insert into log_entry (place, body) values (?, ?)', leafIndex, entry);
    for (const { height, place, hash } of this.#nodesOf(leafIndex, entry)) {
      this.#database.run('insert into node_hash (height, place, hash) values (?, ?, ?)', height, place, hash);
    }
    return leafIndex;
  }

  rootAt(size: number): Bytes {
    return size === 0 ? emptyRoot : this.#range(0, size);
  }

  /** RFC 6962 §2.1.1. @returns siblings from the leaf to the root of the tree of this size. */
  inclusionProof(place: number, size: number): readonly Bytes[] {
    const siblings: Bytes[] = [];
    let [start, end] = [0, size];
    while (end - start > 1) {
      const middle = start + splitOf(end - start);
      if (place < middle) {
        siblings.push(this.#range(middle, end));
        end = middle;
      } else {
        siblings.push(this.#range(start, middle));
        start = middle;
      }
    }
    return siblings.toReversed();
  }

  /** @returns up to `count` hashes of one tile level, from `start` on. */
  hashes(level: number, start: number, count: number): readonly Bytes[] {
    const rows = this.#database.all(
      'select hash from node_hash where height = ? and place >= ? and place < ? order by place',
      level * tileHeight,
      start,
      start + count,
    );
    return rows.map(({ hash }) => hash as Bytes);
  }

  entries(start: number, count: number): readonly Bytes[] {
    const rows = this.#database.all(
      'select body from log_entry where place >= ? and place < ? order by place',
      start,
      start + count,
    );
    return rows.map(({ body }) => body as Bytes);
  }

  /** True if every entry is there, and every hash is that of the entries below it. */
  isWhole(): boolean {
    const { size } = this;
    let nodes = 0;
    for (let start = 0; start < size; start += tileWidth) {
      const entries = this.entries(start, tileWidth);
      if (entries.length !== Math.min(tileWidth, size - start)) return false;
      for (const [index, entry] of entries.entries()) {
        for (const { height, place, hash } of this.#nodesOf(start + index, entry)) {
          const stored = this.#find(height, place);
          if (stored === null || !equalBytes(stored, hash)) return false;
          nodes++;
        }
      }
    }
    // One that should not be there would be served one day.
    return Number(this.#database.get('select count(*) as nodes from node_hash')?.['nodes']) === nodes;
  }

  /** The leaf of an entry, and the roots of the subtrees that it completes. */
  *#nodesOf(leafIndex: number, entry: Uint8Array): Generator<Node> {
    let node: Node = { height: 0, place: leafIndex, hash: hashLogLeaf(entry) };
    yield node;
    while (node.place % 2 === 1) {
      const hash = hashLogNode(this.#subtree(node.height, node.place - 1), node.hash);
      node = { height: node.height + 1, place: (node.place - 1) / 2, hash };
      yield node;
    }
  }

  /** MTH(D[start:end]) for the ranges into which RFC 6962 splits a tree. */
  #range(start: number, end: number): Bytes {
    const count = end - start;
    const height = Math.log2(count);
    if (Number.isInteger(height)) return this.#subtree(height, start / count);
    const middle = start + splitOf(count);
    return hashLogNode(this.#range(start, middle), this.#range(middle, end));
  }

  #subtree(height: number, place: number): Bytes {
    const hash = this.#find(height, place);
    if (hash === null) throw new Error('The log lacks a hash that its size needs.');
    return hash;
  }

  #find(height: number, place: number): Bytes | null {
    const row = this.#database.get('select hash from node_hash where height = ? and place = ?', height, place);
    return row === undefined ? null : (row['hash'] as Bytes);
  }
}

/** The largest power of two below `count`. */
function splitOf(count: number): number {
  let split = 1;
  while (2 * split < count) split *= 2;
  return split;
}
