import type { Log } from '../../process/event-log.ts';
import { RegistrarError } from '../registrar-error.ts';

/** A checkpoint that is on the disk. */
type Stored = { readonly note: string; readonly size: number; readonly rootHash: string };

const commitTimeoutMs = 30_000;

/**
 * Decides which checkpoint the world sees. The disk alone may not be enough: a volume may be written back later, or two
 * machines could hold it. Then a keeper on this machine is asked first. It answers 204 once the checkpoint can no longer be
 * lost, and 409 when it knows another root for this size.
 */
export class Publisher {
  readonly #commitUrl: string | null;
  readonly #onFork: () => void;
  readonly #log: Log;
  #published: Stored | null = null;

  constructor(dependencies: { readonly commitUrl: string | null; readonly onFork: () => void; readonly log: Log }) {
    this.#commitUrl = dependencies.commitUrl;
    this.#onFork = dependencies.onFork;
    this.#log = dependencies.log;
  }

  /** The part that everyone may fetch; null before the first. */
  get published(): Stored | null {
    return this.#published;
  }

  /**
   * One at a time, and nothing is written meanwhile: what the keeper makes durable is the state that it was asked about.
   *
   * @throws {RegistrarError} `log-unavailable`: nobody must be shown this checkpoint.
   */
  async publish(stored: Stored): Promise<void> {
    await this.#commit(stored);
    if (this.#published === null || stored.size > this.#published.size) this.#published = stored;
  }

  async #commit({ note, size, rootHash }: Stored): Promise<void> {
    if (this.#commitUrl === null) return;
    let status: number;
    try {
      const answer = await fetch(this.#commitUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ format: 1, size, rootHash, checkpoint: note }),
        redirect: 'error',
        signal: AbortSignal.timeout(commitTimeoutMs),
      });
      await answer.body?.cancel();
      status = answer.status;
    } catch (error) {
      this.#log.error('commit-failed', { error });
      throw new RegistrarError('log-unavailable', 5);
    }
    if (status === 409) this.#onFork();
    if (status !== 204) throw new RegistrarError('log-unavailable', 5);
  }
}
