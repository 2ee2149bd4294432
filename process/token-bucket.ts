/** So many at once, then so many a minute. */
export type BucketRate = { readonly burst: number; readonly perMinute: number };

/** Holds `burst` at the most and fills up with `perMinute`. A caller that takes more than there is owes it. */
export class TokenBucket {
  readonly #rate: BucketRate;
  #level: number;
  #filledAtMs: number;

  constructor(rate: BucketRate, nowMs: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#filledAtMs = nowMs;
  }

  /** @returns itself, as full as it is now. */
  fill(nowMs: number): this {
    const { burst, perMinute } = this.#rate;
    const passedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#level = Math.min(burst, this.#level + (passedMs / 60_000) * perMinute);
    this.#filledAtMs = nowMs;
    return this;
  }

  /** The level; below 0 it is owed. */
  get level(): number {
    return this.#level;
  }

  /** Seconds until there is so much, or as much as there can ever be; 0 when there is. */
  waitSecondsFor(cost: number): number {
    const missing = Math.max(0, this.#wanted(cost) - this.#level);
    return Math.ceil((missing / this.#rate.perMinute) * 60);
  }

  /** Takes the cost, or all that there is if it costs more than there can ever be. */
  take(cost = 1): void {
    this.#level -= this.#wanted(cost);
  }

  /** Works as `take`, but takes all of the cost. */
  charge(cost: number): void {
    this.#level -= cost;
  }

  #wanted(cost: number): number {
    return Math.min(cost, this.#rate.burst);
  }
}

/** Token buckets by key, a bounded number: the one that was not used for the longest time is forgotten, and full again. */
export class TokenBuckets {
  readonly #most: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns the bucket of this key, as full as it is now. */
  at(key: string, rate: BucketRate, nowMs: number): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(rate, nowMs);
    // The map's order is the order of use: the first one is the longest unused.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#most) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket.fill(nowMs);
  }
}
