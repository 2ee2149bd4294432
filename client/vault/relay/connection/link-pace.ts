/** A sign of life on an ordinary link comes sooner. */
const leastLimitMs = 900;
/** Before anything is known of the link: it may be a slow one. */
const unknownLimitMs = 2_700;
/** No link is so slow that one would wait longer before it is said. */
const longestLimitMs = 6_000;
const slack = 2;
const remembered = 3;

/** How long a sign of life takes on this link, by those that came: a slow link is not taken for a relay that is away. */
export class LinkPace {
  #probesMs: readonly number[] = [];
  #quickestCallMs: number | null = null;

  /** A call was answered. It may have taken the relay some time, so only the quickest tells of the link. */
  noteCall(tookMs: number): void {
    this.#quickestCallMs = Math.min(this.#quickestCallMs ?? tookMs, tookMs);
    // A sign of life that took much longer was held up by a relay that stood still, not by the link.
    this.#probesMs = this.#probesMs.filter((probeMs) => probeMs <= Math.max(leastLimitMs, slack * tookMs));
  }

  /** A sign of life came, however late. */
  noteProbe(tookMs: number): void {
    this.#probesMs = [...this.#probesMs, tookMs].slice(-remembered);
  }

  /** How long the next one is waited for before the relay is said to be away. */
  get limitMs(): number {
    // The middle one: a relay that stood still once has not slowed the link down.
    const middle = this.#probesMs.toSorted((a, b) => a - b)[Math.floor(this.#probesMs.length / 2)];
    const tookMs = middle ?? this.#quickestCallMs;
    if (tookMs === null) return unknownLimitMs;
    return Math.min(longestLimitMs, Math.max(leastLimitMs, slack * tookMs));
  }
}
