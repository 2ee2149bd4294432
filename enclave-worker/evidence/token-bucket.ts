/** So many at once, then so many a second. */
export class TokenBucket {
  readonly #burst: number;
  readonly #everyMs: number;
  readonly #nowMs: () => number;
  #left: number;
  #atMs: number;

  constructor(input: { readonly burst: number; readonly everyMs: number; readonly nowMs: () => number }) {
    this.#burst = input.burst;
    this.#everyMs = input.everyMs;
    this.#nowMs = input.nowMs;
    this.#left = input.burst;
    this.#atMs = input.nowMs();
  }

  take(): boolean {
    const nowMs = this.#nowMs();
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, nowMs - this.#atMs) / this.#everyMs);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
