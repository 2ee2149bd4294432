import type { PacerClock } from '../../../../enclave-worker/turns/frame-pacer.ts';

/** A clock that a test moves; timers fire when it gets there, late if told so. */
export class FakeClock implements PacerClock {
  nowMs = 1_000;
  #timers: { atMs: number; callback: () => void }[] = [];

  now(): number {
    return this.nowMs;
  }

  callAfter(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** @param latenessMs - How late every timer fires. */
  advance(durationMs: number, latenessMs = 0): void {
    const until = this.nowMs + durationMs;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs + latenessMs > until) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs + latenessMs);
      next.callback();
    }
    this.nowMs = until;
  }

  /** Works as `advance`, in small steps between which promises go on: an engine's delays pass on this clock too. */
  async run(durationMs: number): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 5) {
      this.advance(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => void this.callAfter(durationMs, resolve));
  }

  /** The whole process stands still. */
  freeze(durationMs: number): void {
    this.nowMs += durationMs;
  }
}
