import { RelayError } from '../route/relay-error.ts';

/**
 * Limits of all bodies, and of one account's: two of the longest. A body lies in memory two or three times while it is read.
 */
const defaultLimits = { total: 256 * 1024 * 1024, perAccount: 128 * 1024 * 1024 };
/** This much is always there for small calls: nobody is kept from signing in by the uploads of others. */
const freeLength = 64 * 1024;
const retryAfterSeconds = 2;

/**
 * How much of bodies this process holds at a time: one for requests, one for answers (held-answers.ts). Rate limits alone would not do: many accounts, or many calls of
 * one, may send at the same time what each of their buckets holds.
 */
export class BodyMemory {
  readonly #limits: typeof defaultLimits;
  readonly #byAccount = new Map<string, number>();
  #bytes = 0;

  constructor(limits: typeof defaultLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Bytes that count, of all bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A place for one body: it grows as the body comes, and is given back when the call is over.
   *
   * @param accountId - null for a call without a session; those are short.
   */
  open(accountId: string | null): BodyShare {
    let length = 0;
    let held = 0;
    return {
      take: (added) => {
        length += added;
        const more = Math.max(0, length - freeLength) - held;
        this.#hold(accountId, more);
        held += more;
      },
      [Symbol.dispose]: () => {
        this.#release(accountId, held);
        held = 0;
      },
    };
  }

  #hold(accountId: string | null, bytes: number): void {
    const own = this.#byAccount.get(accountId ?? '') ?? 0;
    if (this.#bytes + bytes > this.#limits.total || own + bytes > this.#limits.perAccount) {
      throw new RelayError('too-many-requests', retryAfterSeconds);
    }
    if (bytes === 0) return;
    this.#bytes += bytes;
    this.#byAccount.set(accountId ?? '', own + bytes);
  }

  #release(accountId: string | null, bytes: number): void {
    if (bytes === 0) return;
    this.#bytes -= bytes;
    const own = (this.#byAccount.get(accountId ?? '') ?? 0) - bytes;
    if (own > 0) this.#byAccount.set(accountId ?? '', own);
    else this.#byAccount.delete(accountId ?? '');
  }
}

export type BodyShare = Disposable & {
  /** @throws {RelayError} `too-many-requests` while bodies fill the memory. */
  take(length: number): void;
};
