import { Worker } from 'node:worker_threads';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Log } from '../../../process/event-log.ts';
import { RelayError } from '../route/relay-error.ts';

/** Shorter ones take less time than handing them over. */
const smallLength = 128 * 1024;
/** A body whose bytes were looked at takes less than a second; on a machine that does nothing else. */
const usualDeadlineMs = 30_000;

export type BodyOrder = { readonly id: number; readonly route: string; readonly bytes: Bytes };
/** A refusal tells nothing of bytes that are no value of the route's message. */
export type ReadBody =
  | { readonly id: number; readonly isRefused: true }
  | { readonly id: number; readonly isRefused: false; readonly value: unknown };

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: RelayError) => void };

/**
 * Reads large bodies in a thread, one after the other: reading the largest takes half a second, and on the event loop every other
 * caller would wait for it.
 */
export class LargeBodies {
  readonly #log: Log;
  readonly #deadlineMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | null = null;
  #deadline: NodeJS.Timeout | null = null;
  #lastId = 0;

  constructor(log: Log, deadlineMs = usualDeadlineMs) {
    this.#log = log;
    this.#deadlineMs = deadlineMs;
  }

  static isLarge(bytes: Uint8Array): boolean {
    return bytes.length > smallLength;
  }

  /**
   * @param bytes - Let pass by a scanner, and handed over: empty afterwards.
   * @throws {RelayError} `bad-request`; `too-many-requests` when the thread took too long and was ended.
   */
  read(route: string, bytes: Bytes): Promise<unknown> {
    const thread = (this.#thread ??= this.#start());
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      thread.ref();
      this.#watch();
      thread.postMessage({ id, route, bytes } satisfies BodyOrder, [bytes.buffer]);
    });
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#lose();
    await thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL('./body-thread.ts', import.meta.url), {
      name: 'bodies',
      // The relay's settings are none of its business.
      env: {},
    });
    thread.on('message', (answer: ReadBody) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      this.#watch();
      // An idle thread keeps no process alive.
      if (this.#waiting.size === 0) thread.unref();
      if (answer.isRefused) waiting?.reject(new RelayError('bad-request'));
      else waiting?.resolve(answer.value);
    });
    const onLost = (error?: unknown) => {
      if (this.#thread !== thread) return;
      this.#log.error('body-thread-lost', { error });
      this.#lose();
    };
    thread.on('error', onLost);
    thread.on('exit', () => onLost());
    return thread;
  }

  /** The next body gets a new thread. */
  #lose(): void {
    this.#thread = null;
    this.#watch();
    for (const { reject } of this.#waiting.values()) reject(new RelayError('too-many-requests', 2));
    this.#waiting.clear();
  }

  /** Begins the deadline anew: something was read. */
  #watch(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    const thread = this.#thread;
    this.#deadline =
      thread === null || this.#waiting.size === 0 ? null : setTimeout(() => void thread.terminate(), this.#deadlineMs);
  }
}
