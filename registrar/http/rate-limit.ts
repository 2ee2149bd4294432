import { TokenBuckets } from '../../process/token-bucket.ts';
import { networksOf } from '../../process/http/networks.ts';
import { RegistrarError } from '../registrar-error.ts';

/** One address has a bucket of `burst` that fills up with `perMinute`. The networks around it have larger ones. */
const limits = {
  /** Challenge, register, renew: two calls for a statement. */
  statements: { burst: 240, perMinute: 240 },
  /** An auditor reads the whole log at once, 256 entries a call. */
  reading: { burst: 3_000, perMinute: 3_000 },
} as const;
export type LimitName = keyof typeof limits;

/** All callers behind one address share this: a stranger's calls must not keep a fleet from its statements. */
const sharedScale = 50;
const maximumBuckets = 50_000;

/** Token buckets in memory. */
export class RateLimit {
  readonly #scale: number;
  readonly #buckets = new TokenBuckets(maximumBuckets);

  /** @param isAddressShared - True if callers cannot be told apart. */
  constructor(isAddressShared = false) {
    this.#scale = isAddressShared ? sharedScale : 1;
  }

  /** @throws {RegistrarError} `too-many-requests`. */
  take(name: LimitName, address: string, nowMs: number): void {
    if (this.tryTake(name, address, nowMs)) return;
    throw new RegistrarError('too-many-requests', Math.ceil(60 / (limits[name].perMinute * this.#scale)));
  }

  /** @returns whether there was one more, which is taken: from the address and the networks around it, or from none. */
  tryTake(name: LimitName, address: string, nowMs: number): boolean {
    const { burst, perMinute } = limits[name];
    const buckets = networksOf(address).map((network) => {
      const times = this.#scale * network.share;
      const rate = { burst: burst * times, perMinute: perMinute * times };
      return this.#buckets.at(`${name} ${network.name}`, rate, nowMs);
    });
    if (buckets.some(({ level }) => level < 1)) return false;
    for (const bucket of buckets) bucket.take();
    return true;
  }
}
