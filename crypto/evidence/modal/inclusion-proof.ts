import { type Bytes, equalBytes } from '../../protocol/bytes/bytes.ts';
import { sha256 } from '../../protocol/bytes/hash.ts';

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** The root of a log without entries (RFC 6962 §2.1). */
export const emptyRoot = sha256();

/** `SHA-256(0x00 || entry)` (RFC 6962 §2.1). */
export function hashLogLeaf(entry: Uint8Array): Bytes {
  return sha256(leafPrefix, entry);
}

/** `SHA-256(0x01 || left || right)` (RFC 6962 §2.1). */
export function hashLogNode(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(nodePrefix, left, right);
}

/**
 * Verifies that a leaf is in the log of this size and root (RFC 9162 §2.1.3.2, whose tree is RFC 6962's).
 *
 * @param proof - Siblings from the leaf to the root, no more and no fewer than its place needs.
 */
export function verifyInclusion(input: {
  readonly leafHash: Uint8Array;
  readonly leafIndex: number;
  readonly size: number;
  readonly rootHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { leafHash, leafIndex, size, rootHash, proof } = input;
  if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || !Number.isSafeInteger(size) || leafIndex >= size) {
    return false;
  }
  if (proof.some((sibling) => sibling.length !== 32)) return false;
  // Numbers above 2^31 are no numbers to JavaScript's shifts.
  let place = BigInt(leafIndex);
  let last = BigInt(size - 1);
  let hash = leafHash;
  for (const sibling of proof) {
    // A hash too many; a size has 53 levels at most.
    if (last === 0n) return false;
    if ((place & 1n) === 1n || place === last) {
      hash = hashLogNode(sibling, hash);
      // At the right edge, levels without a sibling are skipped.
      while ((place & 1n) === 0n && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = hashLogNode(hash, sibling);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(hash, rootHash);
}
