export type TurnBounds = {
  /** The callers that are in and those that wait. */
  readonly most: number;
  /** For one more. */
  readonly refusal: () => Error;
};

/** Lets callers in one after the other, in the order in which they came. */
export class OneAtATime {
  readonly #bounds: TurnBounds | null;
  #isTaken = false;
  readonly #waiting: (() => void)[] = [];

  /** @param bounds - Left out where the callers themselves are bounded. */
  constructor(bounds: TurnBounds | null = null) {
    this.#bounds = bounds;
  }

  /** @throws what `refusal` makes when too many are here already. */
  async take(): Promise<void> {
    const here = this.#waiting.length + (this.#isTaken ? 1 : 0);
    if (this.#bounds !== null && here >= this.#bounds.most) throw this.#bounds.refusal();
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
  }

  pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.pass();
    }
  }
}
