import { Worker } from 'node:worker_threads';
import { StorageTrouble } from '../trouble/storage-trouble.ts';
import type { ThreadAnswer, ThreadFailure, ThreadRequest } from './thread-messages.ts';

export type ThreadResult = Exclude<ThreadAnswer, { readonly failure: ThreadFailure }>;

/** The storage thread as its callers see it; it starts when it is needed for the first time, and again after its end. */
export class ThreadCalls {
  readonly #path: string;
  #thread: Worker | null = null;
  #waiting: PromiseWithResolvers<ThreadResult>[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws what SQLite said, with its codes; {@link StorageTrouble} when the thread ended, and its transaction with it. */
  ask(request: ThreadRequest): Promise<ThreadResult> {
    const thread = (this.#thread ??= this.#start());
    const answered = Promise.withResolvers<ThreadResult>();
    this.#waiting.push(answered);
    // The process lives as long as somebody waits, and no longer.
    thread.ref();
    thread.postMessage(request, request.kind === 'run' ? [request.bytes] : []);
    return answered.promise;
  }

  /** Once everything that was asked before is answered. */
  async close(): Promise<void> {
    if (this.#thread === null) return;
    await this.ask({ kind: 'close' });
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL('storage-thread.ts', import.meta.url), {
      workerData: { path: this.#path },
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
    });
    thread.on('message', (answer: ThreadAnswer) => {
      const waiting = this.#waiting.shift();
      if (this.#waiting.length === 0) thread.unref();
      if ('failure' in answer) waiting?.reject(errorOf(answer.failure));
      else waiting?.resolve(answer);
    });
    // An exit follows.
    thread.on('error', () => undefined);
    thread.once('exit', () => this.#ended());
    return thread;
  }

  #ended(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#thread = null;
    for (const { reject } of waiting) reject(new StorageTrouble('io-error', 'The storage thread ended.'));
  }
}

function errorOf({ code, errcode, message }: ThreadFailure): Error {
  return Object.assign(new Error(message), { code, errcode });
}
