import type { Network } from '../../surroundings/network.ts';

/**
 * The network as the page says it is. A Worker's own events do not come in every browser (Chromium sends it none), so the
 * page passes its own on; until it has, the surroundings are asked.
 */
export class ReportedNetwork implements Network {
  readonly #own: Network;
  readonly #listeners = new Set<() => void>();
  #reported: boolean | null = null;

  constructor(own: Network) {
    this.#own = own;
    own.onChange(() => {
      this.#reported = null;
      this.#tell();
    });
  }

  isOnline(): boolean {
    return this.#reported ?? this.#own.isOnline();
  }

  onChange(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  report(isOnline: boolean): void {
    const isNew = isOnline !== this.isOnline();
    this.#reported = isOnline;
    if (isNew) this.#tell();
  }

  #tell(): void {
    for (const run of this.#listeners) run();
  }
}
