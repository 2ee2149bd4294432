import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { BodyMemory } from './body-memory.ts';

/**
 * A client that takes nothing of a large answer for so long is gone. Longer than it waits itself, since it may be slow: the
 * system's buffers take some megabytes at a time, and only then is anything seen to go out.
 */
const stallDeadlineMs = 150_000;

/**
 * The large answers that lie in memory until their clients have taken them. A client that reads nothing keeps its answers
 * there, so each account may have only so many, and one that stands still is cut off.
 */
export class HeldAnswers {
  readonly #memory: BodyMemory;
  readonly #deadlineMs: number;

  constructor(memory = new BodyMemory(), deadlineMs = stallDeadlineMs) {
    this.#memory = memory;
    this.#deadlineMs = deadlineMs;
  }

  /** Bytes that count, of all answers. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /**
   * Counts an answer, which is not written yet, until it is with the client or the connection is gone.
   *
   * @throws {RelayError} `too-many-requests` while answers fill the memory, or the account's part of it.
   */
  hold(accountId: string | null, length: number, response: ServerResponse): void {
    // HTTP/2's response only wraps the stream, which alone knows that it was closed.
    const sink = 'stream' in response ? (response.stream as Writable) : response;
    // Nobody is there any more, and nothing will say so a second time.
    if (sink.destroyed) return;
    const share = this.#memory.open(accountId);
    const before = this.#memory.bytes;
    share.take(length);
    // A small one is free, of waiting for it too.
    if (this.#memory.bytes === before) return;
    sink.once('close', () => share[Symbol.dispose]());
    // Node's timers for sockets and streams begin anew as long as something of what is queued goes out.
    response.setTimeout(this.#deadlineMs, () => void sink.destroy());
  }
}
