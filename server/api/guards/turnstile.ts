/**
 * Lets one piece of heavy work through in each turn of the event loop, whoever asks: between two of them everybody else's small
 * calls, frames and timers have their turn.
 */
export class Turnstile {
  readonly #waiting: (() => void)[] = [];
  #isTurning = false;

  /** Resolves when it is this caller's turn. Code up to its next await runs in that turn. */
  pass(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#isTurning) return;
      this.#isTurning = true;
      setImmediate(this.#turn);
    });
  }

  readonly #turn = (): void => {
    this.#waiting.shift()?.();
    this.#isTurning = this.#waiting.length > 0;
    // Set while immediates run, so it comes in the next turn of the loop.
    if (this.#isTurning) setImmediate(this.#turn);
  };
}
