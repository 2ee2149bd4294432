import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import { Server as NetServer, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { stopParsing } from '../../process/http/node-parser.ts';
import type { ConnectionPlaces } from '../../process/http/connection-places.ts';
import { TinyChunks } from '../api/bodies/tiny-chunks.ts';
import { endInOrder } from '../api/bodies/unread-bodies.ts';
import { endFlood, streamOf, WatchedSession } from '../api/bodies/http2-watch.ts';

/** How long connections may stand still: nothing lives for ever but what its client keeps reading. */
export type ConnectionTimes = {
  /** From the first moment, or the end of the call before, to the end of a request's head. */
  readonly headMs: number;
  /** An HTTP/2 session without a call. HTTP/1.1 has `keepAliveTimeout`. */
  readonly idleMs: number;
  /**
   * An answer of which nothing is seen to go out; longer than our client waits itself. The system's buffers take some megabytes
   * at a time, and only then does anything seem to move.
   */
  readonly stallMs: number;
  /** An answer that is whole, from then until it is with its client: nobody waits for it any more. */
  readonly deliveryMs: number;
  readonly sweepMs: number;
};

export const usualTimes: ConnectionTimes = {
  headMs: 20_000,
  idleMs: 75_000,
  stallMs: 150_000,
  deliveryMs: 900_000,
  sweepMs: 5_000,
};

/**
 * Kept connections without a call are cut when nothing was asked and answered for so long. Before that a proxy, to which they
 * were promised, may have sent the next call: it is answered, as the last of its connection. A cut one would be a 502.
 */
const quietMs = 200;
/** However much is asked. */
const longestQuietMs = 1_500;
const lookIntervalMs = 25;

/** The open connections of one listener: how many there may be, how long they may stand still, and how they end. */
export class Connections {
  readonly #server: Server | Http2SecureServer;
  readonly #times: ConnectionTimes;
  readonly #places: ConnectionPlaces;
  readonly #chunks = new TinyChunks();
  /** The sockets of every protocol, as they were accepted. */
  readonly #sockets = new Set<Socket>();
  /** HTTP/1.1: what each carries now, oldest connection first. */
  readonly #answers = new Map<Socket, Set<ServerResponse>>();
  readonly #sessions = new Set<WatchedSession>();
  /** Answers of both protocols, and since when they have been whole. */
  readonly #deliveries = new Map<ServerResponse, number | null>();
  readonly #sweep: NodeJS.Timeout;
  #closing = false;
  #activeAtMs = 0;
  #cut = 0;

  constructor(server: Server | Http2SecureServer, places: ConnectionPlaces, times: ConnectionTimes) {
    this.#server = server;
    this.#places = places;
    this.#times = times;
    server.on('connection', (socket: Socket) => this.#accept(socket));
    this.#sweep = setInterval(() => this.#sweepIdle(), times.sweepMs);
    this.#sweep.unref();
    if (!('setSecureContext' in server)) return;
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol !== 'h2') this.#addPeer(socket);
    });
    server.on('session', (session) => {
      const watched = new WatchedSession(session);
      this.#sessions.add(watched);
      session.once('close', () => this.#sessions.delete(watched));
      if (this.#closing) session.close();
    });
  }

  /** Told of each call before it is answered. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#deliveries.set(response, null);
    response.once('close', () => this.#deliveries.delete(response));
    const isHttp2 = request.httpVersionMajor === 2;
    // Node's timers for sockets and streams begin anew as long as something of what is queued goes out.
    response.setTimeout(this.#times.stallMs, () => destroyAnswer(response));
    const answers = isHttp2 ? undefined : this.#answers.get(request.socket);
    if (answers === undefined) return;
    answers.add(response);
    this.#activeAtMs = performance.now();
    if (this.#closing) response.shouldKeepAlive = false;
    response.once('close', () => {
      answers.delete(response);
      this.#activeAtMs = performance.now();
    });
  }

  /** Ends a connection that sends more calls than it could have answers of. */
  cutFlood(request: IncomingMessage): void {
    const stream = streamOf(request);
    if (stream?.session) endFlood(stream.session);
    if (stream !== null) return;
    stopParsing(request.socket);
    request.socket.destroy();
  }

  /**
   * Takes no connection more and ends each with its answer: `Connection: close` for HTTP/1.1, GOAWAY for HTTP/2.
   *
   * Resolves when none is left; what is open after `longestMs` is cut.
   */
  async close(longestMs: number): Promise<void> {
    const deadline = setTimeout(() => {
      this.#cut = this.#sockets.size;
      for (const socket of this.#sockets) socket.destroy();
    }, longestMs);
    this.#closing = true;
    for (const answers of this.#answers.values()) {
      for (const response of answers) response.shouldKeepAlive = false;
    }
    // Behind the accepting of this turn of the loop: what waits at a port that is closed is reset.
    await nextTurn();
    // Node's own close of an HTTP server also cuts answers that are made and not yet with a slow client.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(this.#server, () => resolve()));
    for (const { session } of this.#sessions) session.close();
    await Promise.all([closed, this.#cutIdle()]);
    clearTimeout(deadline);
    clearInterval(this.#sweep);
    // Not listening any more, it only stops its timers.
    this.#server.close(() => undefined);
  }

  /** The answers under way on an HTTP/1.1 connection, in the order of their calls; undefined for another. */
  answersOf(socket: Socket): ReadonlySet<ServerResponse> | undefined {
    return this.#answers.get(socket);
  }

  /** How many connections a stop had to cut. */
  get cut(): number {
    return this.#cut;
  }

  #accept(socket: Socket): void {
    if (this.#places.areScarce) this.#makeRoom();
    if (!this.#places.take(socket)) return void socket.destroy();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (!('setSecureContext' in this.#server)) this.#addPeer(socket);
  }

  #addPeer(socket: Socket): void {
    endInOrder(socket);
    const answers = new Set<ServerResponse>();
    this.#answers.set(socket, answers);
    socket.once('close', () => this.#answers.delete(socket));
    this.#chunks.watch(socket, () => {
      for (const response of answers) response.shouldKeepAlive = false;
    });
  }

  /** The oldest connection that does nothing gives its place to one that may. */
  #makeRoom(): void {
    for (const [socket, answers] of this.#answers) {
      if (answers.size === 0) return void socket.destroy();
    }
    for (const { idleMs, session } of this.#sessions) if (idleMs > 0) return session.destroy();
  }

  #sweepIdle(): void {
    const { deliveryMs, idleMs: longestMs } = this.#times;
    for (const { idleMs, session } of this.#sessions) {
      if (idleMs > longestMs) session.close();
      // It does not even read that it is to go.
      if (idleMs > longestMs + 2 * this.#times.sweepMs) session.destroy();
    }
    const nowMs = performance.now();
    for (const [response, wholeAtMs] of this.#deliveries) {
      if (wholeAtMs === null && response.writableEnded) this.#deliveries.set(response, nowMs);
      if (wholeAtMs !== null && nowMs - wholeAtMs > deliveryMs) destroyAnswer(response);
    }
  }

  async #cutIdle(): Promise<void> {
    const untilMs = performance.now() + longestQuietMs;
    while (this.#answers.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
      if (performance.now() < Math.min(untilMs, this.#activeAtMs + quietMs)) continue;
      for (const [socket, answers] of this.#answers) {
        // One look at what has arrived before each: a call that was sent already is not passed over.
        await nextTurn();
        if (answers.size === 0) socket.destroy();
      }
    }
  }
}

/** HTTP/2's response only wraps the stream, which alone can be destroyed. */
function destroyAnswer(response: ServerResponse): void {
  if ('stream' in response) (response.stream as Writable).destroy();
  else response.destroy();
}

/** Behind everything that has arrived by now. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
