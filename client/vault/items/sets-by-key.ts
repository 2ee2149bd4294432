/** Ids in sets by what they have in common. */
export class SetsByKey {
  readonly #sets = new Map<string, Set<string>>();

  /** @param key - undefined: nothing is added. */
  add(key: string | undefined, id: string): void {
    if (key !== undefined) this.#sets.set(key, (this.#sets.get(key) ?? new Set()).add(id));
  }

  remove(key: string | undefined, id: string): void {
    const ids = this.#sets.get(key ?? '');
    ids?.delete(id);
    if (ids?.size === 0) this.#sets.delete(key ?? '');
  }

  of(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? new Set();
  }

  clear(): void {
    this.#sets.clear();
  }
}
