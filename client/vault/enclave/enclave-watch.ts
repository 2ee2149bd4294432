import { backOffMs } from '../surroundings/back-off.ts';
import { type Clock, wait } from '../surroundings/clock.ts';
import { toVaultError } from '../failures/vault-error.ts';
import type { EnclaveSession } from './enclave-session.ts';

/** How often a model that is being fetched or loaded is looked at. */
const progressIntervalMs = 3_000;
/** A container that boots is asked for this often, unless the relay says when. */
const startingIntervalMs = 2_000;

export type WatchDependencies = {
  readonly enclaves: Pick<EnclaveSession, 'view' | 'isFresh' | 'ask' | 'showConnecting'>;
  readonly clock: Clock;
  readonly random: () => number;
};

/** Asks for an enclave while a conversation is open, until one is there and its model too. */
export class EnclaveWatch {
  readonly #dependencies: WatchDependencies;
  #watching: AbortController | null = null;

  constructor(dependencies: WatchDependencies) {
    this.#dependencies = dependencies;
  }

  /** A conversation is open: an enclave is found, and looked at while its model is still on its way. */
  start(): void {
    const { enclaves } = this.#dependencies;
    if (this.#watching !== null) {
      if (enclaves.view.kind !== 'refused' && enclaves.view.kind !== 'unreachable') return;
      // Somebody asks again: now, not when the pause is over.
      this.stop();
      enclaves.showConnecting();
    }
    const watching = new AbortController();
    this.#watching = watching;
    void this.#keepWatching(watching.signal);
  }

  stop(): void {
    this.#watching?.abort();
    this.#watching = null;
  }

  async #keepWatching(signal: AbortSignal): Promise<void> {
    const { enclaves, clock, random } = this.#dependencies;
    let failures = 0;
    // The view of an earlier conversation may be hours old.
    let isDue = !enclaves.isFresh;
    while (!signal.aborted) {
      let pauseMs = 0;
      if (isDue) {
        try {
          await enclaves.ask();
          failures = enclaves.view.kind === 'refused' ? failures + 1 : 0;
        } catch (error) {
          const failure = toVaultError(error);
          if (failure.code === 'session-ended') return;
          failures += 1;
          if (failure.code === 'enclave-starting') pauseMs = failure.retryAfterMs ?? startingIntervalMs;
        }
      }
      if (signal.aborted) return;
      isDue = true;
      if (pauseMs === 0 && failures > 0) pauseMs = Math.max(1_000, backOffMs(failures, random));
      if (pauseMs > 0) await wait(clock, pauseMs, signal);
      else if (this.#isInProgress()) await wait(clock, progressIntervalMs, signal);
      else return this.#rest(signal);
    }
  }

  /** Nothing to look at until something else asks; a later failure starts the watch again. */
  #rest(signal: AbortSignal): void {
    if (!signal.aborted && this.#watching?.signal === signal) this.#watching = null;
  }

  #isInProgress(): boolean {
    const { view } = this.#dependencies.enclaves;
    return view.kind === 'verified' && (view.status.next !== null || view.status.state === 'loading');
  }
}
