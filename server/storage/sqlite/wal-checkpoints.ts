import { StorageTrouble } from '../trouble/storage-trouble.ts';
import type { ThreadCalls } from './thread-calls.ts';

/** The log is moved when it has about so many, four megabytes. */
const pagesPerMove = 1_000;

/** Keeps the write-ahead log short, by the storage thread. */
export class WalCheckpoints {
  readonly #thread: Pick<ThreadCalls, 'ask'>;
  readonly #withoutWriters: (work: () => Promise<void>) => Promise<void>;
  #moving: Promise<void> | null = null;
  #pages = 0;

  /**
   * @param withoutWriters - Runs something while nobody writes: the log would never be moved to its end. They wait as for
   *   another's transaction; readers and the event loop do not.
   */
  constructor(thread: Pick<ThreadCalls, 'ask'>, withoutWriters: (work: () => Promise<void>) => Promise<void>) {
    this.#thread = thread;
    this.#withoutWriters = withoutWriters;
  }

  /** About so many pages were added to the log. */
  note(pages: number): void {
    this.#pages += pages;
    if (this.#moving !== null || this.#pages < pagesPerMove) return;
    this.#pages = 0;
    this.#moving = this.#withoutWriters(() => this.move())
      // A full disk, for instance, or a reader: the log stays, and so does what is in it.
      .catch(() => undefined)
      .finally(() => (this.#moving = null));
  }

  /**
   * Moves all of the log into the database, so that whoever writes next begins it from its start again.
   *
   * @throws {StorageTrouble} `busy` when a reader holds a part of it.
   */
  async move(): Promise<void> {
    const { left } = await this.#thread.ask({ kind: 'move' });
    if (left > 0) throw new StorageTrouble('busy', 'A reader holds the log.');
  }

  async whenIdle(): Promise<void> {
    await this.#moving;
  }
}
