import type { ClientRequest, IncomingMessage } from 'node:http';
import {
  LiveRecordSplitter,
  recordBody,
  recordKind,
  streamIdLength,
} from '../../crypto/protocol/messages/live-record.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { encodeBytes } from '../api/route/wire-bytes.ts';
import { type Endpoint, openRequest } from './enclave-call.ts';

/** Three heartbeats of the worker. */
const silenceLimitMs = 15_000;
const firstDelayMs = 50;
const longestDelayMs = 3_000;

export type StreamEvents = {
  readonly record: (record: Uint8Array) => void;
  readonly opened: () => void;
  readonly closed: (why: 'broken' | 'idle') => void;
};

type Waiter = { readonly resolve: (streamId: string) => void; readonly reject: (error: RelayError) => void };

/**
 * The one live response of an enclave, on which the frames of all turns arrive. It reconnects by itself until closed.
 *
 * With an idle time it is held for turns alone. A running turn sends a frame each tick, so a response without frames has no
 * turn on it. A caller that needs it again opens it.
 */
export class EnclaveStream {
  readonly #endpoint: Endpoint;
  readonly #events: StreamEvents;
  readonly #idleMs: number | null;
  #request: ClientRequest | null = null;
  #streamId: string | null = null;
  #waiters: Waiter[] = [];
  #retry: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #usedAtMs = 0;
  /** Calls that name this stream and are not answered yet. */
  #uses = 0;
  #delayMs = firstDelayMs;
  #closed = false;

  /** @param idleMs - Null: the response is kept as long as the process lives. */
  constructor(endpoint: Endpoint, events: StreamEvents, idleMs: number | null = null) {
    this.#endpoint = endpoint;
    this.#events = events;
    this.#idleMs = idleMs;
  }

  get streamId(): string | null {
    return this.#streamId;
  }

  /** Opens the response now, whatever the back-off says. */
  connect(): void {
    this.#usedAtMs = performance.now();
    if (this.#closed || this.#request !== null) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#open();
  }

  /**
   * Makes a call that names the response, which is held until the call is answered.
   *
   * @throws {RelayError} when no response stands within the time; what the call throws.
   */
  async use<T>(timeoutMs: number, call: (streamId: string) => Promise<T>): Promise<T> {
    this.#uses += 1;
    try {
      return await call(await this.#ready(timeoutMs));
    } finally {
      this.#uses -= 1;
      this.#usedAtMs = performance.now();
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#request?.destroy();
    this.#refuseWaiters();
  }

  #ready(timeoutMs: number): Promise<string> {
    this.#usedAtMs = performance.now();
    if (this.#streamId !== null) return Promise.resolve(this.#streamId);
    if (this.#closed) return Promise.reject(new RelayError(this.#endpoint.unreachable));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: (streamId) => {
          clearTimeout(timer);
          resolve(streamId);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new RelayError(this.#endpoint.unreachable));
      }, timeoutMs);
      this.#waiters.push(waiter);
      this.connect();
    });
  }

  #open(): void {
    const request = openRequest(this.#endpoint, 'GET', '/live', { accept: 'application/octet-stream' });
    this.#request = request;
    request.setTimeout(silenceLimitMs, () => request.destroy());
    request.on('response', (response) => {
      if (response.statusCode === 200) return this.#read(response);
      // The worker's own refusals are JSON; anything else is a proxy's.
      if (response.headers['content-type']?.startsWith('application/json') !== true) {
        this.#endpoint.onForeign?.(response.statusCode ?? 0);
      } else if (response.statusCode === 401) {
        this.#endpoint.onTokenRefused?.();
      }
      request.destroy();
    });
    // `close` follows every error.
    request.on('error', () => undefined);
    request.on('close', () => this.#ended(request));
    request.end();
  }

  #read(response: IncomingMessage): void {
    const splitter = new LiveRecordSplitter();
    response.on('data', (piece: Buffer) => {
      try {
        for (const record of splitter.push(piece)) this.#take(record);
      } catch {
        // A length that no record has: nothing after it can be trusted to be a record.
        response.destroy();
      }
    });
    response.on('error', () => undefined);
    response.on('end', () => this.#request?.destroy());
  }

  #take(record: Uint8Array): void {
    const kind = recordKind(record);
    if (kind === 'frame' || kind === 'header' || kind === 'closed') {
      if (this.#streamId === null) return;
      if (this.#idleMs !== null) this.#usedAtMs = performance.now();
      this.#events.record(record);
      return;
    }
    if (kind !== 'stream' || this.#streamId !== null) return;
    const body = recordBody(record);
    if (body.length !== streamIdLength) return;
    const streamId = encodeBytes(body);
    this.#streamId = streamId;
    this.#delayMs = firstDelayMs;
    this.#watchIdleness();
    this.#events.opened();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(streamId);
  }

  #watchIdleness(): void {
    const idleMs = this.#idleMs;
    if (idleMs === null) return;
    const look = () => {
      const leftMs = this.#usedAtMs + idleMs - performance.now();
      if (leftMs > 0 || this.#uses > 0) this.#idle = setTimeout(look, Math.max(leftMs, idleMs / 4));
      else this.#request?.destroy();
      this.#idle?.unref();
    };
    this.#idle = setTimeout(look, idleMs);
    this.#idle.unref();
  }

  /** True when nobody waits for anything on it. */
  get #isIdle(): boolean {
    const isRecent = this.#idleMs === null || performance.now() - this.#usedAtMs < this.#idleMs;
    return !isRecent && this.#uses === 0;
  }

  #ended(request: ClientRequest): void {
    if (this.#request !== request) return;
    this.#request = null;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const stood = this.#streamId !== null;
    this.#streamId = null;
    if (stood) this.#events.closed(this.#isIdle || this.#closed ? 'idle' : 'broken');
    if (this.#closed || this.#isIdle) return;
    // Jitter, so that many relays do not come back to a restarted enclave in one instant.
    const delayMs = this.#delayMs * (0.5 + Math.random());
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    this.#retry = setTimeout(() => {
      this.#retry = null;
      if (!this.#isIdle && this.#request === null && !this.#closed) this.#open();
    }, delayMs);
    this.#retry.unref();
  }

  #refuseWaiters(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new RelayError(this.#endpoint.unreachable));
  }
}
