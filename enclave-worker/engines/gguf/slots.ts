/** A few places, taken in order of arrival. */
export class Slots {
  readonly #total: number;
  #taken = 0;
  readonly #queue: (() => void)[] = [];
  readonly #idleWaiters: (() => void)[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  /** @returns what gives the place back, or `null` when the signal fired first. */
  async take(signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return null;
    if (this.#taken >= this.#total) {
      const isMine = await this.#wait(signal);
      if (!isMine) return null;
    } else {
      this.#taken += 1;
    }
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#release();
    };
  }

  /** Resolves when nothing is taken. */
  async idle(): Promise<void> {
    if (this.#taken === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const give = () => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = () => {
        const index = this.#queue.indexOf(give);
        if (index === -1) return;
        this.#queue.splice(index, 1);
        resolve(false);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(give);
    });
  }

  #release(): void {
    // A place that is handed on stays taken.
    const next = this.#queue.shift();
    if (next !== undefined) return next();
    this.#taken -= 1;
    if (this.#taken === 0) for (const done of this.#idleWaiters.splice(0)) done();
  }
}
