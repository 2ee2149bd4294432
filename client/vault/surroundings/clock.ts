/** Time as the vault sees it, handed in so that tests can own it. */
export type Clock = {
  /** Milliseconds since 1970: what people read, and what the account's own items carry. */
  wallMs(): number;
  /** Never set back or forth by anybody: lifetimes and expiries count on this one (M44). */
  monotonicMs(): number;
  /** @returns what calls it off. */
  after(delayMs: number, run: () => void): () => void;
};

/** The time of a change: later than all that is known, whatever another device's clock had said (M44). */
export function laterThan(clock: Clock, knownMs: Iterable<number>): number {
  let timeMs = Math.floor(clock.wallMs());
  for (const known of knownMs) timeMs = Math.max(timeMs, known + 1);
  return timeMs;
}

/** Resolves after a time, or at once when the signal aborts. */
export function wait(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const callOff = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    function abort(): void {
      callOff();
      resolve();
    }
    signal?.addEventListener('abort', abort, { once: true });
  });
}
