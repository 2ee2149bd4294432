/** So long work begins in one turn of the event loop. */
const workMs = 5;

export type Waiting = {
  /** True once nobody wants it any more. */
  isOver(): boolean;
  begin(): void;
};

/** Lets work begin a few in each turn of the event loop, and that of different lanes by turns: nobody waits for one lane's many. */
export class FairTurns {
  readonly #lanes = new Map<object | string, Waiting[]>();
  #isAwaited = false;

  /** How many wait in a lane. */
  lengthOf(lane: object | string): number {
    return this.#lanes.get(lane)?.length ?? 0;
  }

  /** Begins in a later turn of the event loop. */
  enter(lane: object | string, waiting: Waiting): void {
    const others = this.#lanes.get(lane);
    if (others === undefined) this.#lanes.set(lane, [waiting]);
    else others.push(waiting);
    this.#await();
  }

  #await(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(() => this.#work(performance.now() + workMs));
  }

  #work(untilMs: number): void {
    const goOn = () => {
      if (this.#lanes.size > 0 && performance.now() < untilMs) return this.#work(untilMs);
      this.#isAwaited = false;
      if (this.#lanes.size > 0) this.#await();
    };
    try {
      this.#next()?.begin();
    } finally {
      // Most of it is done in microtasks and the next tick: how long it took shows behind them all.
      queueMicrotask(() => process.nextTick(goOn));
    }
  }

  /** The first that is not over. */
  #next(): Waiting | undefined {
    for (const [lane, all] of this.#lanes) {
      const waiting = all.shift();
      this.#lanes.delete(lane);
      // Behind all others, who come by turns.
      if (all.length > 0) this.#lanes.set(lane, all);
      if (waiting?.isOver() === false) return waiting;
    }
    return undefined;
  }
}
