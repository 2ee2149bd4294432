import { backOffMs } from '../../surroundings/back-off.ts';
import { type Clock, wait } from '../../surroundings/clock.ts';
import { toVaultError, type VaultError } from '../../failures/vault-error.ts';

export type RepeatedTaskDependencies = {
  readonly work: () => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onFailure?: (error: VaultError) => void;
};

/**
 * Runs work that is asked for often and has to succeed once. Calls that come while it runs become one more run. A failure is
 * tried again after a pause, for as long as there is a session.
 */
export class RepeatedTask {
  readonly #dependencies: RepeatedTaskDependencies;
  #isRunning = false;
  #isAsked = false;
  #pause = new AbortController();

  constructor(dependencies: RepeatedTaskDependencies) {
    this.#dependencies = dependencies;
  }

  kick(): void {
    this.#isAsked = true;
    if (this.#isRunning || this.#dependencies.signal.aborted) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  /** There is reason to believe that it works now. */
  hurry(): void {
    this.#pause.abort();
    this.kick();
  }

  async #run(): Promise<void> {
    const { work, clock, random, signal, onFailure } = this.#dependencies;
    let failures = 0;
    while (this.#isAsked && !signal.aborted) {
      this.#isAsked = false;
      try {
        await work();
        failures = 0;
      } catch (reason) {
        if (signal.aborted) return;
        const error = toVaultError(reason);
        if (error.code === 'session-ended') return;
        onFailure?.(error);
        failures += 1;
        this.#isAsked = true;
        this.#pause = new AbortController();
        await wait(
          clock,
          Math.max(error.retryAfterMs ?? 0, backOffMs(failures, random)),
          AbortSignal.any([signal, this.#pause.signal]),
        );
      }
    }
  }
}
