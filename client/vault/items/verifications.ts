import type { VerificationContent } from '../../../crypto/protocol/contents/item-contents.ts';

/** A summary of a verification; its document is opened from the cache when somebody wants to read it. */
export type VerificationSummary = Omit<VerificationContent, 'type' | 'format' | 'document'>;

/** Verifications in short, and of each turn the one that it came to rest on last. */
export class Verifications extends Map<string, VerificationSummary> {
  /** The latest verifications, of turns that were sealed anew after their message was stored. */
  readonly #latest = new Map<string, string>();

  /** Keeps a verification without its document. */
  add(id: string, { type: _type, format: _format, document: _document, ...summary }: VerificationContent): void {
    this.set(id, summary);
    const { turnId } = summary;
    if (turnId === undefined) return;
    const knownId = this.#latest.get(turnId) ?? '';
    const known = this.get(knownId);
    // Between equal times the greater id counts: the order in which a device reads them decides nothing.
    const isNewer =
      known === undefined ||
      known.verifiedAtMs < summary.verifiedAtMs ||
      (known.verifiedAtMs === summary.verifiedAtMs && knownId <= id);
    if (isNewer) this.#latest.set(turnId, id);
  }

  override delete(id: string): boolean {
    const turnId = this.get(id)?.turnId ?? '';
    if (this.#latest.get(turnId) === id) this.#latest.delete(turnId);
    return super.delete(id);
  }

  override clear(): void {
    this.#latest.clear();
    super.clear();
  }

  /** The item that a turn rests on since its message was stored. */
  latestOf(turnId: string): string | undefined {
    return this.#latest.get(turnId);
  }

  /** Items that were kept for one turn alone. */
  idsOf(turnId: string): readonly string[] {
    return [...this].flatMap(([id, summary]) => (summary.turnId === turnId ? [id] : []));
  }
}
