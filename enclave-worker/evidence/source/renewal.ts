import { EvidenceError, type EvidenceProblem, NoEvidence } from './evidence-source.ts';

/** Something that holds for a while. */
export type Dated<Value> = {
  readonly value: Value;
  /** When to have the next one. */
  readonly renewAtMs: number;
  /** After this it is shown to nobody. */
  readonly notAfterMs: number;
};

/** Evidence that is over before a client has read it helps nobody. */
const marginMs = 60_000;
const firstPauseMs = 2_000;
const longestPauseMs = 300_000;

/** Keeps one value fresh: fetches it, again before it is over, and with growing pauses while that fails. */
export class Renewal<Value> {
  readonly #collect: () => Promise<Dated<Value>>;
  readonly #nowMs: () => number;
  readonly #onProblem: (problem: EvidenceProblem) => void;
  readonly #onReady: () => void;
  #current: Dated<Value> | null = null;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = firstPauseMs;
  #isClosed = false;

  constructor(input: {
    readonly collect: () => Promise<Dated<Value>>;
    readonly nowMs: () => number;
    readonly onProblem: (problem: EvidenceProblem) => void;
    /** Each time that there is a value where there was none. */
    readonly onReady?: () => void;
  }) {
    this.#collect = input.collect;
    this.#nowMs = input.nowMs;
    this.#onProblem = input.onProblem;
    this.#onReady = input.onReady ?? (() => {});
  }

  get isReady(): boolean {
    return this.#current !== null && this.#current.notAfterMs - marginMs > this.#nowMs();
  }

  start(): void {
    if (this.#running !== null || this.#isClosed) return;
    this.#running = this.#renew().finally(() => {
      this.#running = null;
    });
  }

  /**
   * Waits for the attempt that is under way, when there is nothing to show.
   *
   * @throws {NoEvidence} `starting`.
   */
  async current(): Promise<Value> {
    if (!this.isReady && this.#running !== null) await this.#running;
    if (!this.isReady || this.#current === null) throw new NoEvidence('starting');
    return this.#current.value;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #renew(): Promise<void> {
    const wasReady = this.isReady;
    let waitMs: number;
    try {
      const dated = await this.#collect();
      this.#current = dated;
      this.#pauseMs = firstPauseMs;
      waitMs = Math.max(1_000, dated.renewAtMs - this.#nowMs());
    } catch (error) {
      const isCrowdedOut = error instanceof NoEvidence;
      this.#onProblem(error instanceof EvidenceError ? error.problem : isCrowdedOut ? 'slow' : 'failed');
      waitMs = this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    }
    if (!wasReady && this.isReady) this.#onReady();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.start(), waitMs);
    this.#timer.unref();
  }
}
