import { Worker } from 'node:worker_threads';
import { StorageTrouble } from './storage-trouble.ts';

/** The log is moved when it has about so many, four megabytes. */
const pagesPerMove = 1_000;
const sqliteFull = 13;

type Answer = { readonly left: number } | { readonly errcode: number };

/** Keeps the write-ahead log short, by a thread that starts when it is needed for the first time. */
export class WalCheckpoints {
  readonly #path: string;
  readonly #withoutWriters: <T>(work: () => Promise<T>) => Promise<T>;
  #thread: Worker | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #isMoving = false;
  #pages = 0;

  /** @param withoutWriters - Runs something while nobody writes. */
  constructor(path: string, withoutWriters: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#path = path;
    this.#withoutWriters = withoutWriters;
  }

  /** About so many pages were added to the log. */
  note(pages: number): void {
    this.#pages += pages;
    if (this.#isMoving || this.#pages < pagesPerMove) return;
    this.#isMoving = true;
    this.#pages = 0;
    this.moveAll()
      // A full disk, for instance: the log stays, and so does what is in it.
      .catch(() => undefined)
      .finally(() => (this.#isMoving = false));
  }

  /** @returns how many pages of the log are not in the database yet. */
  #move(): Promise<number> {
    const moved = this.#queue.then(() => this.#ask());
    this.#queue = moved.catch(() => undefined);
    return moved;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#thread?.terminate();
  }

  /**
   * Without writers meanwhile, or it would never be all: whoever writes next begins the log from its start again. They wait
   * as for another's transaction, and the event loop does not.
   */
  async moveAll(): Promise<void> {
    const left = await this.#withoutWriters(() => this.#move());
    if (left > 0) throw new StorageTrouble('busy', 'A reader holds the log.');
  }

  #ask(): Promise<number> {
    const thread = (this.#thread ??= this.#start());
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        this.#thread = null;
        reject(new StorageTrouble('io-error', 'The thread for checkpoints ended.'));
      };
      thread.once('error', fail);
      thread.once('exit', fail);
      thread.once('message', (answer: Answer) => {
        thread.off('error', fail);
        thread.off('exit', fail);
        if ('left' in answer) return resolve(answer.left);
        const cause = (answer.errcode & 255) === sqliteFull ? 'full' : 'io-error';
        reject(new StorageTrouble(cause, 'The log could not be moved into the database.'));
      });
      thread.postMessage('move');
    });
  }

  #start(): Worker {
    const thread = new Worker(new URL('checkpoint-thread.ts', import.meta.url), {
      workerData: { path: this.#path },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
    });
    thread.unref();
    return thread;
  }
}
