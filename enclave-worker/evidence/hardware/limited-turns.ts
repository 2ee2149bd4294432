import { OneAtATime } from '../../../process/one-at-a-time.ts';
import { EvidenceError, NoEvidence } from '../source/evidence-source.ts';

/**
 * Runs one job at a time, a bounded number behind it. A job that takes too long fails for its caller, but the next one waits
 * until it has really ended. A driver that hangs must not be asked again and again.
 */
export class LimitedTurns {
  readonly #turns: OneAtATime;
  readonly #limitMs: number;

  /** @param input.most - The jobs that run and those that wait. */
  constructor(input: { readonly most: number; readonly limitMs: number }) {
    this.#turns = new OneAtATime({ most: input.most, refusal: () => new NoEvidence('busy') });
    this.#limitMs = input.limitMs;
  }

  /** @throws {NoEvidence} `busy`; {EvidenceError} `slow`; whatever the job throws. */
  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    const isGivenUp = { now: false };
    const running = this.#turns.run(async () => {
      // The caller has gone: nothing is asked of the hardware for nobody.
      if (isGivenUp.now) throw new EvidenceError('slow');
      return await job();
    });
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
