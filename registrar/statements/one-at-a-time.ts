import { RegistrarError } from '../registrar-error.ts';

/** Callers that may wait; more than that is a keeper that hangs. */
const maximumWaiting = 64;

/** Runs one piece of work after the other. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @throws {RegistrarError} `log-unavailable` when too many wait already. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= maximumWaiting) throw new RegistrarError('log-unavailable', 5);
    this.#waiting++;
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }
}
