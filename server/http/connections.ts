import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import { Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/**
 * Kept connections without a call are cut when nothing was asked and answered for so long. Before that a proxy, to which they
 * were promised, may have sent the next call: it is answered, as the last of its connection. A cut one would be a 502.
 */
const quietMs = 200;
/** However much is asked. */
const longestQuietMs = 1_500;
const lookIntervalMs = 25;

/** The open connections of one listener, and how they end when the relay stops. */
export class Connections {
  readonly #server: Server | Http2SecureServer;
  /** Of any protocol, as they were accepted. */
  readonly #sockets = new Set<Socket>();
  /** HTTP/1.1: what each carries now. */
  readonly #answers = new Map<Socket, Set<ServerResponse>>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #closing = false;
  #activeAtMs = 0;
  #cut = 0;

  constructor(server: Server | Http2SecureServer) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (!('setSecureContext' in server)) this.#addPeer(socket);
    });
    if (!('setSecureContext' in server)) return;
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol !== 'h2') this.#addPeer(socket);
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      if (this.#closing) session.close();
    });
  }

  /** Told of each call before it is answered. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    if (request.httpVersionMajor === 2) return;
    const { socket } = request;
    const answers = this.#answers.get(socket);
    if (answers === undefined) return;
    answers.add(response);
    this.#activeAtMs = performance.now();
    if (this.#closing) response.shouldKeepAlive = false;
    response.once('close', () => {
      answers.delete(response);
      this.#activeAtMs = performance.now();
    });
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
    for (const session of this.#sessions) session.close();
    await Promise.all([closed, this.#cutIdle()]);
    clearTimeout(deadline);
    // Not listening any more, it only stops its timers.
    this.#server.close(() => undefined);
  }

  /** Whether something may be written to an HTTP/1.1 connection itself: it is one, and no answer has begun on it. */
  canAnswer(socket: Socket): boolean {
    const answers = this.#answers.get(socket);
    return answers !== undefined && socket.writable && ![...answers].some(({ headersSent }) => headersSent);
  }

  /** How many connections a stop had to cut. */
  get cut(): number {
    return this.#cut;
  }

  #addPeer(socket: Socket): void {
    this.#answers.set(socket, new Set());
    socket.once('close', () => this.#answers.delete(socket));
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

/** Behind everything that has arrived by now. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
