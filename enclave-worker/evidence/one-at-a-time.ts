import { EvidenceError, NoEvidence } from './evidence-source.ts';

/**
 * Runs one job at a time, a bounded number behind it. A job that takes too long fails for its caller, but the next one
 * waits until it has really ended: a driver that hangs must not be asked again and again.
 */
export class OneAtATime {
  readonly #maximumWaiting: number;
  readonly #limitMs: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(input: { readonly maximumWaiting: number; readonly limitMs: number }) {
    this.#maximumWaiting = input.maximumWaiting;
    this.#limitMs = input.limitMs;
  }

  /** @throws {NoEvidence} `busy`; {EvidenceError} `slow`; whatever the job throws. */
  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= this.#maximumWaiting) throw new NoEvidence('busy');
    this.#waiting += 1;
    const before = this.#last;
    const isGivenUp = { now: false };
    const running = before
      .then(() => {
        // Whoever asked has gone: nothing is asked of the hardware for nobody.
        if (isGivenUp.now) throw new EvidenceError('slow');
        return job();
      })
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = running.catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        isGivenUp.now = true;
        reject(new EvidenceError('slow'));
      }, this.#limitMs);
    });
    try {
      return await Promise.race([running, limit]);
    } finally {
      clearTimeout(timer);
    }
  }
}
