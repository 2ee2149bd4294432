import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import type { PacerClock } from '../../../../enclave-worker/turns/frame-pacer.ts';

/** A clock that moves only when a test moves it, for the vault and for the worker's pacer. */
export class ManualClock implements Clock, PacerClock {
  nowMs = 1_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  callAfter(delayMs: number, callback: () => void): () => void {
    return this.after(delayMs, callback);
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(durationMs, resolve));
  }

  get waiting(): number {
    return this.#timers.size;
  }

  /**
   * Lets time pass without a pause: promises go on afterwards.
   *
   * @param latenessMs - How late every timer fires.
   */
  advance(durationMs: number, latenessMs = 0): void {
    const endMs = this.nowMs + durationMs;
    while (this.#fireNext(endMs, latenessMs)) continue;
    this.nowMs = endMs;
  }

  /** Lets time pass, step by step, and everything that follows from each step happen. */
  async pass(totalMs: number): Promise<void> {
    const endMs = this.nowMs + totalMs;
    do await settle();
    while (this.#fireNext(endMs));
    this.nowMs = endMs;
    await settle();
  }

  /** The whole process stands still. */
  freeze(durationMs: number): void {
    this.nowMs += durationMs;
  }

  /** @returns whether a timer was due by then. */
  #fireNext(endMs: number, latenessMs = 0): boolean {
    const [next] = [...this.#timers].toSorted((a, b) => a.atMs - b.atMs);
    if (next === undefined || next.atMs + latenessMs > endMs) return false;
    this.#timers.delete(next);
    this.nowMs = Math.max(this.nowMs, next.atMs + latenessMs);
    next.run();
    return true;
  }
}

/** Promises and streams that are ready run to their next wait. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
