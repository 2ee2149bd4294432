import type { Engine } from '../engines/engine/engine.ts';

export type TurnLimits = {
  /** Turns that engines work on, all engines together. */
  readonly answering: number;
  /** Turns that frames are sent for, busy and finished ones included. */
  readonly paced: number;
};

export const defaultTurnLimits: TurnLimits = { answering: 1500, paced: 4000 };

/** Says which turns an engine gets. A turn that is not admitted still gets a reply: a sealed "busy". */
export class Admission {
  readonly #limit: number;
  readonly #byEngine = new Map<Engine, number>();
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get answering(): number {
    return this.#total;
  }

  /** @returns what gives the place back, once; `null` when there is none. */
  admit(engine: Engine): (() => void) | null {
    const count = this.#byEngine.get(engine) ?? 0;
    if (count >= engine.capacity || this.#total >= this.#limit) return null;
    this.#byEngine.set(engine, count + 1);
    this.#total += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#total -= 1;
      this.#byEngine.set(engine, (this.#byEngine.get(engine) ?? 1) - 1);
    };
  }
}
