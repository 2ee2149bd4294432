import { emptyRoot, hashLogNode } from '../../crypto/evidence/modal/inclusion-proof.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';

/** The root of a log that is read from its first entry on, with one hash for each bit of its size in memory (RFC 6962 §2.1). */
export class GrowingRoot {
  /** Roots of whole subtrees, the largest first. */
  readonly #peaks: { readonly height: number; readonly hash: Bytes }[] = [];

  add(leafHash: Bytes): void {
    let peak = { height: 0, hash: leafHash };
    for (let last = this.#peaks.at(-1); last?.height === peak.height; last = this.#peaks.at(-1)) {
      this.#peaks.pop();
      peak = { height: peak.height + 1, hash: hashLogNode(last.hash, peak.hash) };
    }
    this.#peaks.push(peak);
  }

  root(): Bytes {
    const hashes = this.#peaks.map(({ hash }) => hash);
    return (
      hashes.reduceRight<Bytes | null>((right, left) => (right === null ? left : hashLogNode(left, right)), null) ??
      emptyRoot
    );
  }
}
