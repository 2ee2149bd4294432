import { RelayError } from '../relay-error.ts';
import type { LimitName } from '../route.ts';
import { networksOf } from './client-address.ts';

type Limit = { readonly burst: number; readonly perMinute: number };
type Limits = {
  /** Of one address; the networks around it have several times as much (client-address.ts). */
  readonly address: Limit;
  readonly account?: Limit;
  /** Of everybody together. */
  readonly total?: Limit;
};

/**
 * How much of each thing one address and one account may ask of this process: a bucket of `burst` that fills up with
 * `perMinute`. Login attempts per account are counted in the database as well (accounts/login-limit.ts).
 *
 * Where both are limited, an address may ask for several times what an account may: a household or an office has only one.
 */
const limits: Readonly<Record<LimitName | 'calls', Limits>> = {
  /** Every call that is not a file: protects the process from one address. */
  calls: { address: { burst: 1_000, perMinute: 3_000 } },
  'sign-in': { address: { burst: 60, perMinute: 30 } },
  /** Whoever has many networks is bounded by the total alone: accounts cost storage for ever. */
  'sign-up': { address: { burst: 30, perMinute: 10 }, total: { burst: 600, perMinute: 200 } },
  refresh: { address: { burst: 60, perMinute: 60 } },
  turns: { account: { burst: 30, perMinute: 30 }, address: { burst: 300, perMinute: 300 } },
  /** Enough for a browser that looks every three seconds while a model loads, in several tabs. */
  evidence: { account: { burst: 60, perMinute: 120 }, address: { burst: 600, perMinute: 1_200 } },
  /** The same for one account's three tabs, or six behind one address: where the policy asks for it, each look is signed. */
  'fresh-evidence': { account: { burst: 20, perMinute: 60 }, address: { burst: 60, perMinute: 120 } },
  /** Of request bodies, in KiB. */
  bytes: {
    account: { burst: 256 * 1024, perMinute: 64 * 1024 },
    address: { burst: 2 * 1024 * 1024, perMinute: 512 * 1024 },
  },
  /**
   * Of answers that bring what is stored, in KiB: one of these takes about 11 microseconds. A full vault of 1 GiB is read in
   * four minutes.
   */
  reads: {
    account: { burst: 512 * 1024, perMinute: 256 * 1024 },
    address: { burst: 1024 * 1024, perMinute: 512 * 1024 },
  },
};

/** Whom a call is counted for. */
export type Caller = {
  readonly address: string;
  /** Null for a call without a session. */
  readonly accountId: string | null;
};

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

  /** Whether it can be counted only once the session is known. */
  static isPerAccount(name: LimitName): boolean {
    return limits[name].account !== undefined;
  }

  /**
   * Takes `cost` from the address with its networks and, where the thing is limited so, from the account and from the total;
   * from none when one is short.
   *
   * @throws {RelayError} `too-many-requests` with the seconds after which `cost` is there again.
   */
  take(name: LimitName | 'calls', caller: Caller, cost = 1): void {
    const shares = this.#sharesOf(name, caller, cost);
    const waitSeconds = Math.max(...shares.map(({ waitSeconds: wait }) => wait));
    if (waitSeconds > 0) throw new RelayError('too-many-requests', waitSeconds);
    for (const { bucket, wanted } of shares) bucket.level -= wanted;
  }

  /** Counts what something cost that could not be known before: address and account may come to owe it. */
  charge(name: LimitName, caller: Caller, cost: number): void {
    for (const { bucket } of this.#sharesOf(name, caller, cost)) bucket.level -= cost;
  }

  /** @throws {RelayError} `too-many-requests` while address or account owe, with the seconds after which they do not. */
  requirePaid(name: LimitName, caller: Caller): void {
    // What is a whole one again is nothing owed.
    this.take(name, caller, 0);
  }

  #sharesOf(name: LimitName | 'calls', caller: Caller, cost: number) {
    const { address, account, total } = limits[name];
    const shares = networksOf(caller.address).map((network) => {
      const limit = { burst: address.burst * network.share, perMinute: address.perMinute * network.share };
      return this.#fill(`${name} ${network.name}`, limit, cost);
    });
    if (total !== undefined) shares.push(this.#fill(`${name} in all`, total, cost));
    if (account !== undefined && caller.accountId !== null) {
      shares.push(this.#fill(`${name} of account ${caller.accountId}`, account, cost));
    }
    return shares;
  }

  /** @returns the bucket as it is now, what the cost comes to in it, and the time until it has that much: 0 when it has. */
  #fill(key: string, limit: Limit, cost: number): { bucket: Bucket; wanted: number; waitSeconds: number } {
    const burst = limit.burst * this.#scale;
    const perMinute = limit.perMinute * this.#scale;
    const nowMs = this.#now();
    const bucket = this.#buckets.get(key) ?? { level: burst, filledAtMs: nowMs };
    bucket.level = Math.min(burst, bucket.level + ((nowMs - bucket.filledAtMs) / 60_000) * perMinute);
    bucket.filledAtMs = nowMs;
    // The newest at the end: the map's order is the order of use.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maximumBuckets) this.#forget(nowMs);
    const wanted = Math.min(cost, burst);
    const missing = Math.max(0, wanted - bucket.level);
    return { bucket, wanted, waitSeconds: Math.ceil((missing / perMinute) * 60) };
  }

  /** Everything unused for as long as the slowest bucket takes to fill, then the least recently used half. */
  #forget(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (nowMs - bucket.filledAtMs < 600_000 && this.#buckets.size <= maximumBuckets / 2) break;
      this.#buckets.delete(key);
    }
  }
}
