import { type Clock, wait } from '../../surroundings/clock.ts';
import { isGatewayStatus } from '../http/http-call.ts';
import { LinkPace } from './link-pace.ts';

/** Somebody waits, and the relay has said nothing for this long: it is asked whether it is there. */
export const silentAfterMs = 900;
/** The question is given up after this, for a connection that swallows everything; the relay is said to be away long before. */
const probeEndMs = 10_000;
/** While somebody looks at a page without a relay. With jitter, so that a thousand pages do not ask in one moment. */
const seenPauseMs = 1_200;
/** While nobody does, or for longer than ten minutes. */
const unseenPauseMs = 15_000;
const longestSeenMs = 600_000;
/** Between two questions to a relay that is there and takes its time. */
const longestPatienceMs = 15_000;

export type WatchDependencies = {
  readonly clock: Clock;
  readonly random: () => number;
  /** Asks for nothing but a sign of life; rejects without one. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** The relay fell silent, or speaks again. */
  readonly onSilent: (isSilent: boolean) => void;
};

/**
 * Tells a relay that is silent from one that has nothing to say. It is asked only where something does not come that is due, so a
 * page at rest sends nothing.
 */
export class RelayWatch {
  readonly #dependencies: WatchDependencies;
  readonly #pace = new LinkPace();
  #waiting = 0;
  /** How often something came: whoever waits sees whether anything did meanwhile. */
  #signs = 0;
  #isExpecting = false;
  #isSeen = true;
  #isSilent = false;
  #isEnded = false;
  #silentSinceMs = 0;
  #patienceMs = silentAfterMs;
  #callOff: (() => void) | null = null;
  #isProbing = false;
  #rest: AbortController = new AbortController();
  readonly #onBack = new Set<() => void>();

  constructor(dependencies: WatchDependencies) {
    this.#dependencies = dependencies;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /**
   * Somebody waits: a call was sent, or a part of the page is fetched.
   *
   * @returns what is to be called at the end: with true for an answer, false for a failure, null where that says nothing.
   */
  begin(): (hasAnswered: boolean | null) => void {
    this.#waiting += 1;
    this.#patienceMs = silentAfterMs;
    this.#arm();
    const beganMs = this.#dependencies.clock.monotonicMs();
    let isOver = false;
    return (hasAnswered) => {
      if (isOver) return;
      isOver = true;
      this.#waiting -= 1;
      if (hasAnswered === true) {
        this.#pace.noteCall(this.#dependencies.clock.monotonicMs() - beganMs);
        this.heard();
      }
      // A call that failed says nothing by itself of those that come.
      else if (hasAnswered === false) void this.#look();
      else this.#arm();
    };
  }

  /** Notes if a reply is being written: its frames come on a clock. */
  expect(isExpecting: boolean): void {
    if (this.#isExpecting === isExpecting) return;
    this.#isExpecting = isExpecting;
    this.#patienceMs = silentAfterMs;
    this.#arm();
  }

  /** Something came from the relay. */
  heard(): void {
    if (this.#isEnded) return;
    this.#signs += 1;
    if (this.#isSilent) {
      this.#isSilent = false;
      this.#rest.abort();
      this.#dependencies.onSilent(false);
      for (const run of this.#onBack) run();
    }
    this.#patienceMs = silentAfterMs;
    this.#arm();
  }

  /** Notes if somebody looks at the page. A relay that is not away is asked nothing: it would learn of each look. */
  look(isSeen: boolean): void {
    this.#isSeen = isSeen;
    if (isSeen) this.#rest.abort();
  }

  /** There is a reason to doubt that the relay is there, and none that the person gave. */
  ask(): void {
    this.#rest.abort();
    void this.#look();
  }

  /** @param run - Called when the relay speaks again after it was silent. @returns what ends it. */
  onBack(run: () => void): () => void {
    this.#onBack.add(run);
    return () => this.#onBack.delete(run);
  }

  end(): void {
    this.#isEnded = true;
    this.#callOff?.();
    this.#rest.abort();
  }

  #arm(): void {
    this.#callOff?.();
    this.#callOff = null;
    const isAwaited = this.#waiting > 0 || this.#isExpecting;
    if (!isAwaited || this.#isEnded || this.#isProbing) return;
    this.#callOff = this.#dependencies.clock.after(this.#patienceMs, () => void this.#look());
  }

  /** Asks until there is an answer. */
  async #look(): Promise<void> {
    if (this.#isProbing || this.#isEnded) return;
    this.#isProbing = true;
    while (!this.#isEnded && !(await this.#probeOnce())) {
      this.#sayItIsSilent();
      this.#rest = new AbortController();
      await wait(this.#dependencies.clock, this.#pauseMs(), this.#rest.signal);
      // A record or an answer came in the meantime.
      if (!this.#isSilent) break;
    }
    this.#isProbing = false;
    if (this.#isEnded) return;
    const patienceMs = Math.min(longestPatienceMs, this.#patienceMs * 2);
    this.heard();
    this.#patienceMs = patienceMs;
    this.#arm();
  }

  async #probeOnce(): Promise<boolean> {
    const { clock, probe } = this.#dependencies;
    const ended = new AbortController();
    const [beganMs, signs] = [clock.monotonicMs(), this.#signs];
    const callsOff = [
      clock.after(this.#pace.limitMs, () => {
        // The relay may have answered another call before the sign of life that was asked for.
        if (this.#signs === signs) this.#sayItIsSilent();
      }),
      clock.after(probeEndMs, () => ended.abort()),
    ];
    try {
      await probe(ended.signal);
      this.#pace.noteProbe(clock.monotonicMs() - beganMs);
      return true;
    } catch {
      return false;
    } finally {
      for (const callOff of callsOff) callOff();
    }
  }

  #sayItIsSilent(): void {
    if (this.#isSilent || this.#isEnded) return;
    this.#isSilent = true;
    this.#silentSinceMs = this.#dependencies.clock.monotonicMs();
    this.#dependencies.onSilent(true);
  }

  #pauseMs(): number {
    const isLong = this.#dependencies.clock.monotonicMs() - this.#silentSinceMs > longestSeenMs;
    const pauseMs = this.#isSeen && !isLong ? seenPauseMs : unseenPauseMs;
    return pauseMs * (0.75 + this.#dependencies.random() / 2);
  }
}

/** The sign of life: whatever the relay answers, an answer that is its own is one. */
export function probeRelay(fetch_: typeof fetch, origin: string): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const response = await fetch_(`${origin}/livez`, {
      signal,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
    const isPage = /^text\/html\b/i.test(response.headers.get('content-type') ?? '');
    if (!response.ok || isPage) throw new Error('no sign of life');
    await response.body?.cancel();
  };
}

/** A `fetch` whose every call is watched until its answer begins. */
export function watchedFetch(fetch_: typeof fetch, watch: RelayWatch): typeof fetch {
  return async (input, init) => {
    const over = watch.begin();
    try {
      const response = await fetch_(input, init);
      const isOwn = /^application\/json\b/i.test(response.headers.get('content-type') ?? '');
      // A proxy's answer about a relay that it does not reach is no sign of life.
      over(isOwn || !isGatewayStatus(response.status));
      return response;
    } catch (error) {
      over(false);
      throw error;
    }
  };
}
