import type { Writable } from 'node:stream';

/** Ten minutes of frames of one turn. */
const maximumQueuedBytes = 2 * 1024 * 1024;
const writeDeadlineMs = 30_000;
/** The queue of a client that is to go may take this long. */
const endDeadlineMs = 5_000;

/** One browser's live response: raw records on the raw response, nothing re-encoded, nothing awaited. */
export class LiveClient {
  readonly accountId: string;
  readonly sessionId: string;
  readonly #response: Writable;
  readonly #onClose: (client: LiveClient) => void;
  #stalledSinceMs: number | null = null;
  #closed = false;
  #endTimer: NodeJS.Timeout | null = null;

  /** @param response - Node's response, or the stream behind it with HTTP/2; its headers are sent. */
  constructor(
    response: Writable,
    session: { readonly accountId: string; readonly sessionId: string },
    onClose: (client: LiveClient) => void,
  ) {
    this.accountId = session.accountId;
    this.sessionId = session.sessionId;
    this.#response = response;
    this.#onClose = onClose;
    response.on('drain', () => {
      this.#stalledSinceMs = null;
    });
    response.on('close', () => this.#close());
    response.on('error', () => this.#close());
  }

  /** True once bytes have waited for longer than the deadline. */
  get isStalled(): boolean {
    return this.#stalledSinceMs !== null && performance.now() - this.#stalledSinceMs > writeDeadlineMs;
  }

  write(record: Uint8Array): void {
    if (this.#closed || this.#endTimer !== null) return;
    if (this.#response.writableLength + record.length > maximumQueuedBytes) return this.drop();
    const flowing = this.#response.write(record);
    if (!flowing) this.#stalledSinceMs ??= performance.now();
  }

  /** Ends the response in order: the client sees an end and comes back. One that reads nothing is cut off. */
  end(): void {
    if (this.#closed || this.#endTimer !== null) return;
    this.#endTimer = setTimeout(() => this.drop(), endDeadlineMs);
    this.#endTimer.unref();
    this.#response.end();
  }

  /** Ends it at once, with whatever it holds. */
  drop(): void {
    this.#response.destroy();
    // Not every response says so itself: one that was closed before this began to listen never does.
    this.#close();
  }

  /** Half-open clients leak unless every way of ending leads here. */
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#endTimer !== null) clearTimeout(this.#endTimer);
    this.#onClose(this);
  }
}
