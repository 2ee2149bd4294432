/** Fifty ticks of a reply. */
export const stallCheckMs = 5_000;
/** A minute between two looks at most. */
const mostSkippedChecks = 12;

/** How often is looked into a stream that stands and brings nothing: less and less often (M36). */
export class StallPace {
  #stalls = 0;
  #skip = 0;

  /** @returns whether this check is to be followed by a look. */
  isDue(isStalled: boolean): boolean {
    if (!isStalled) this.#stalls = 0;
    else if (this.#skip > 0) this.#skip -= 1;
    else {
      this.#stalls += 1;
      this.#skip = Math.min(2 ** this.#stalls, mostSkippedChecks) - 1;
      return true;
    }
    return false;
  }
}
