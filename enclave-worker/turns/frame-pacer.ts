/** The one tick of all paced frame classes (SPEC.md §7.1). */
export const tickMs = 100;
/** The tick is cut into slots, so that a thousand turns do not all speak at once. */
const slotMs = 5;
const slotCount = tickMs / slotMs;
/** After a longer stop of the whole process (a laptop that slept) the schedule begins anew instead of catching up. */
const longestCatchUpMs = 5_000;

/** Something that has a frame to send on every tick. */
export interface Paced {
  /** Sends one frame. Synchronous, and never waits for an engine. @returns false when that was the last. */
  tick(): boolean;
}

export interface PacerClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** @returns what takes the call back. */
  callAfter(delayMs: number, callback: () => void): () => void;
}

export const systemClock: PacerClock = {
  now: () => performance.now(),
  callAfter: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Keeps the absolute schedule of every turn with one timer. A late wake-up sends what was due, so that the number of
 * frames depends on the time alone.
 */
export class FramePacer {
  readonly #clock: PacerClock;
  readonly #onSlotEnd: () => void;
  readonly #slots: Set<Paced>[] = Array.from({ length: slotCount }, () => new Set());
  #size = 0;
  /** The slot that was served last, counted from the beginning of the clock. */
  #lastSlot = 0;
  #cancelTimer: (() => void) | null = null;
  readonly #random: () => number;

  /**
   * @param onSlotEnd - Called after the frames of a slot, to write them together.
   * @param random - 0 to 1, for the choice among slots that are equally empty.
   */
  constructor(onSlotEnd: () => void, clock: PacerClock = systemClock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#onSlotEnd = onSlotEnd;
    this.#random = random;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Its first frame leaves within one tick, in one of the emptiest slots and, where that can be chosen, about half a tick
   * from now. In the next slot it would leave before the model's first word, and that word would wait for a whole tick. The
   * rest is left to chance, so that no model's own delay always falls right behind a frame.
   */
  add(paced: Paced): void {
    if (this.#size === 0) this.#lastSlot = this.#currentSlot();
    const slots = Array.from({ length: slotCount }, (_, index) => this.#slotAt(this.#lastSlot + 1 + index));
    const least = Math.min(...slots.map(({ size }) => size));
    const isEmptiest = ({ size }: Set<Paced>) => size === least;
    const middle = slots.slice(slotCount / 4, (3 * slotCount) / 4).filter(isEmptiest);
    const choices = middle.length > 0 ? middle : slots.filter(isEmptiest);
    choices[Math.floor(this.#random() * choices.length)]?.add(paced);
    this.#size += 1;
    this.#schedule();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    for (const slot of this.#slots) slot.clear();
    this.#size = 0;
  }

  #slotAt(slot: number): Set<Paced> {
    const found = this.#slots[slot % slotCount];
    if (found === undefined) throw new RangeError('A slot is a whole number.');
    return found;
  }

  #currentSlot(): number {
    return Math.floor(this.#clock.now() / slotMs);
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#size === 0) return;
    let slot = this.#lastSlot + 1;
    while (this.#slotAt(slot).size === 0) slot += 1;
    const delayMs = Math.max(0, slot * slotMs - this.#clock.now());
    this.#cancelTimer = this.#clock.callAfter(delayMs, () => this.#serve());
  }

  #serve(): void {
    const current = this.#currentSlot();
    this.#lastSlot = Math.max(this.#lastSlot, current - longestCatchUpMs / slotMs);
    while (this.#lastSlot < current) {
      this.#lastSlot += 1;
      const due = this.#slotAt(this.#lastSlot);
      if (due.size === 0) continue;
      for (const paced of due) {
        if (paced.tick()) continue;
        due.delete(paced);
        this.#size -= 1;
      }
      this.#onSlotEnd();
    }
    this.#schedule();
  }
}
