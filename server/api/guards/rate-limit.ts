import { type BucketRate, type TokenBucket, TokenBuckets } from '../../../process/token-bucket.ts';
import { RelayError } from '../route/relay-error.ts';
import type { LimitName } from '../route/route.ts';
import { networksOf } from '../../../process/http/networks.ts';

type Limits = {
  /** The rate of one address; the networks around it have several times as much (client-address.ts). */
  readonly address: BucketRate;
  readonly account?: BucketRate;
  /** The rate of everybody together. */
  readonly total?: BucketRate;
};

/**
 * How much of each thing one address and one account may ask of this process: a bucket of `burst` that fills up with
 * `perMinute`. Login attempts per account are counted in the database as well (accounts/attempts/login-limit.ts).
 *
 * Where both are limited, an address may ask for several times what an account may: a household or an office has only one.
 */
const limits: Readonly<Record<LimitName | 'calls', Limits>> = {
  /** Every call that is not a file: protects the process from one address. */
  calls: { address: { burst: 1_000, perMinute: 3_000 } },
  'sign-in': { address: { burst: 60, perMinute: 30 } },
  /** The total alone bounds a caller with many networks: accounts cost storage for ever. */
  'sign-up': { address: { burst: 30, perMinute: 10 }, total: { burst: 600, perMinute: 200 } },
  refresh: { address: { burst: 60, perMinute: 60 } },
  turns: { account: { burst: 30, perMinute: 30 }, address: { burst: 300, perMinute: 300 } },
  /** Enough for a browser that looks every three seconds while a model loads, in several tabs. */
  evidence: { account: { burst: 60, perMinute: 120 }, address: { burst: 600, perMinute: 1_200 } },
  /** The same for one account's three tabs, or six behind one address: where the policy asks for it, each look is signed. */
  'fresh-evidence': { account: { burst: 20, perMinute: 60 }, address: { burst: 60, perMinute: 120 } },
  /** The size of request bodies, in KiB. */
  bytes: {
    account: { burst: 256 * 1024, perMinute: 64 * 1024 },
    address: { burst: 2 * 1024 * 1024, perMinute: 512 * 1024 },
  },
  /**
   * The size of answers that bring stored data, in KiB: one KiB takes about 11 microseconds. A full vault of 1 GiB is read in
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

const maximumBuckets = 100_000;

/** Token buckets in the memory of one process. */
export class RateLimiter {
  readonly #buckets = new TokenBuckets(maximumBuckets);
  readonly #now: () => number;
  readonly #scale: number;

  /** @param options.scale - Larger than 1 for a relay that is driven by a benchmark from one address. */
  constructor(options: { readonly now?: () => number; readonly scale?: number } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#scale = options.scale ?? 1;
  }

  /** True for a limit that can be counted only once the session is known. */
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
    const buckets = this.#bucketsOf(name, caller);
    const waitSeconds = Math.max(...buckets.map((bucket) => bucket.waitSecondsFor(cost)));
    if (waitSeconds > 0) throw new RelayError('too-many-requests', waitSeconds);
    for (const bucket of buckets) bucket.take(cost);
  }

  /** Counts what something cost that could not be known before: address and account may come to owe it. */
  charge(name: LimitName, caller: Caller, cost: number): void {
    for (const bucket of this.#bucketsOf(name, caller)) bucket.charge(cost);
  }

  /** @throws {RelayError} `too-many-requests` while address or account owe, with the seconds after which they do not. */
  requirePaid(name: LimitName, caller: Caller): void {
    // A bucket that holds a whole unit again owes nothing.
    this.take(name, caller, 0);
  }

  #bucketsOf(name: LimitName | 'calls', caller: Caller): TokenBucket[] {
    const { address, account, total } = limits[name];
    const buckets = networksOf(caller.address).map((network) =>
      this.#bucketAt(`${name} ${network.name}`, address, network.share),
    );
    if (total !== undefined) buckets.push(this.#bucketAt(`${name} in all`, total));
    if (account !== undefined && caller.accountId !== null) {
      buckets.push(this.#bucketAt(`${name} of account ${caller.accountId}`, account));
    }
    return buckets;
  }

  #bucketAt(key: string, { burst, perMinute }: BucketRate, share = 1): TokenBucket {
    const times = share * this.#scale;
    return this.#buckets.at(key, { burst: burst * times, perMinute: perMinute * times }, this.#now());
  }
}
