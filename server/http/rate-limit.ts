import { RelayError } from '../relay-error.ts';
import type { LimitName } from '../route.ts';

/**
 * How much of each thing one address, or one account, may ask of this process: a bucket of `burst` that fills up with
 * `perMinute`. Login attempts per account are counted in the database as well (accounts/login-limit.ts).
 */
const limits = {
  /** Every call that is not a file: protects the process from one address. */
  calls: { per: 'address', burst: 1_000, perMinute: 3_000 },
  'sign-in': { per: 'address', burst: 60, perMinute: 30 },
  'sign-up': { per: 'address', burst: 30, perMinute: 10 },
  refresh: { per: 'address', burst: 60, perMinute: 60 },
  turns: { per: 'account', burst: 30, perMinute: 30 },
  /** Of request bodies, in KiB. */
  bytes: { per: 'account', burst: 256 * 1024, perMinute: 64 * 1024 },
} as const satisfies Record<LimitName | 'calls', { per: 'address' | 'account'; burst: number; perMinute: number }>;

type Bucket = { level: number; filledAtMs: number };

/** Buckets that have filled up again are forgotten; above this many the fullest half goes. */
const maximumBuckets = 100_000;

/** Token buckets in the memory of one process. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  readonly #scale: number;

  /** @param options.scale - Larger than 1 for a relay that is driven by a benchmark from one address. */
  constructor(options: { readonly now?: () => number; readonly scale?: number } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#scale = options.scale ?? 1;
  }

  static isPerAccount(name: LimitName): boolean {
    return limits[name].per === 'account';
  }

  /**
   * @param subject - An address or an account number.
   * @throws {RelayError} `too-many-requests` with the seconds after which `cost` is there again.
   */
  take(name: LimitName | 'calls', subject: string, cost = 1): void {
    const burst = limits[name].burst * this.#scale;
    const perMinute = limits[name].perMinute * this.#scale;
    const nowMs = this.#now();
    const key = `${name} ${subject}`;
    const bucket = this.#buckets.get(key) ?? { level: burst, filledAtMs: nowMs };
    bucket.level = Math.min(burst, bucket.level + ((nowMs - bucket.filledAtMs) / 60_000) * perMinute);
    bucket.filledAtMs = nowMs;
    // The newest at the end: the map's order is the order of use.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maximumBuckets) this.#forget(nowMs);
    const wanted = Math.min(cost, burst);
    if (bucket.level < wanted) {
      throw new RelayError('too-many-requests', Math.ceil(((wanted - bucket.level) / perMinute) * 60));
    }
    bucket.level -= wanted;
  }

  /** Everything unused for as long as the slowest bucket takes to fill, then the least recently used half. */
  #forget(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (nowMs - bucket.filledAtMs < 600_000 && this.#buckets.size <= maximumBuckets / 2) break;
      this.#buckets.delete(key);
    }
  }
}
