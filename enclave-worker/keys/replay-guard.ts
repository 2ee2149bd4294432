/** About 30 MB of memory; a tenth of it is a busy hour. */
export const maximumRememberedRequests = 100_000;

export type ReplayVerdict = 'new' | 'same' | 'other';

/**
 * Remembers which request each turn id came with until the key that opened it is destroyed: then no copy of it can be
 * opened any more. When it is full it takes nothing, rather than forget something.
 */
export class ReplayGuard {
  /** Turn id → request hash, by the key that opened it; all in hex. */
  readonly #byKey = new Map<string, Map<string, string>>();
  readonly #maximum: number;
  #count = 0;

  constructor(maximum: number = maximumRememberedRequests) {
    this.#maximum = maximum;
  }

  /** `same`: this very request. `other`: the turn id came with another one. */
  check(turnId: string, requestHash: string): ReplayVerdict {
    for (const turns of this.#byKey.values()) {
      const known = turns.get(turnId);
      if (known !== undefined) return known === requestHash ? 'same' : 'other';
    }
    return 'new';
  }

  /** @returns false when there is no room; the request must then be refused. */
  remember(keyId: string, turnId: string, requestHash: string): boolean {
    if (this.#count >= this.#maximum) return false;
    const turns = this.#byKey.get(keyId) ?? new Map<string, string>();
    this.#byKey.set(keyId, turns);
    turns.set(turnId, requestHash);
    this.#count += 1;
    return true;
  }

  forgetKey(keyId: string): void {
    this.#count -= this.#byKey.get(keyId)?.size ?? 0;
    this.#byKey.delete(keyId);
  }
}
