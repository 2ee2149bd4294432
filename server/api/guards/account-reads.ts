import { RelayError } from '../route/relay-error.ts';
import { Turnstile } from './turnstile.ts';

/** A browser with several tabs reads two or three things at once. */
const runningPerAccount = 4;
const waitingPerAccount = 32;
const retryAfterSeconds = 1;

type Lane = { running: number; readonly waiting: (() => void)[] };

/**
 * Reads of stored ciphertext cost by what they bring, up to 25 ms a page. Few of one account run at once, and others of it
 * wait. Each begins in a turn of the event loop of its own.
 */
export class AccountReads {
  readonly #lanes = new Map<string, Lane>();
  readonly #turnstile: Turnstile;

  constructor(turnstile = new Turnstile()) {
    this.#turnstile = turnstile;
  }

  /**
   * Waits for a place among the account's reads; disposing of it gives it back.
   *
   * @throws {RelayError} `too-many-requests` when more wait than any client of ours asks for.
   */
  async enter(accountId: string): Promise<Disposable> {
    const lane = this.#lanes.get(accountId) ?? { running: 0, waiting: [] };
    this.#lanes.set(accountId, lane);
    if (lane.running >= runningPerAccount) {
      if (lane.waiting.length >= waitingPerAccount) throw new RelayError('too-many-requests', retryAfterSeconds);
      // A read that leaves hands its place on.
      await new Promise<void>((resolve) => void lane.waiting.push(resolve));
    } else lane.running += 1;
    await this.#turnstile.pass();
    return { [Symbol.dispose]: () => this.#leave(accountId, lane) };
  }

  #leave(accountId: string, lane: Lane): void {
    const next = lane.waiting.shift();
    if (next !== undefined) return next();
    lane.running -= 1;
    if (lane.running === 0) this.#lanes.delete(accountId);
  }
}
