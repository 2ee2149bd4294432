import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import { networksOf } from './client-address.ts';

/** So long handshakes begin in one turn of the event loop; one takes up to some milliseconds, for its signature. */
const workMs = 5;

/**
 * Lets TLS handshakes begin a few in each turn of the event loop, and those of different addresses by turns. An address may have
 * hundreds of connections: greetings that come over all of them at one moment would be one turn, of a second with RSA.
 */
export class HandshakeTurns {
  readonly #server: Http2SecureServer;
  /** Node's own, which wrap a connection and read what has come by then. */
  readonly #own: readonly ((socket: Socket) => void)[];
  /** Connections that have said something, by their addresses. */
  readonly #lanes = new Map<string, Socket[]>();
  #isAwaited = false;

  /**
   * @param server - Nobody else may listen for its connections yet.
   * @param silentMs - For so long a connection may say nothing.
   */
  constructor(server: Http2SecureServer, silentMs: number) {
    this.#server = server;
    this.#own = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#listenTo(socket, silentMs));
  }

  #listenTo(socket: Socket, silentMs: number): void {
    const timer = setTimeout(() => socket.destroy(), silentMs);
    const leave = () => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('close', leave);
    };
    const onReadable = () => {
      leave();
      if (socket.readableLength === 0) socket.destroy();
      else this.#enter(socket);
    };
    // A connection that breaks before anything was said is no error.
    socket.on('error', () => undefined);
    socket.on('readable', onReadable).on('close', leave);
  }

  #enter(socket: Socket): void {
    const [network] = networksOf(socket.remoteAddress ?? '');
    const name = network?.name ?? '';
    const lane = this.#lanes.get(name) ?? [];
    lane.push(socket);
    this.#lanes.set(name, lane);
    this.#await();
  }

  #await(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(() => this.#work(performance.now() + workMs));
  }

  #work(untilMs: number): void {
    const goOn = () => {
      if (this.#lanes.size > 0 && performance.now() < untilMs) return this.#work(untilMs);
      this.#isAwaited = false;
      if (this.#lanes.size > 0) this.#await();
    };
    try {
      const socket = this.#next();
      if (socket !== undefined) for (const begin of this.#own) begin.call(this.#server, socket);
    } finally {
      // The greeting is read in the next tick: how long that took shows behind it.
      queueMicrotask(() => process.nextTick(goOn));
    }
  }

  #next(): Socket | undefined {
    for (const [name, lane] of this.#lanes) {
      const socket = lane.shift();
      this.#lanes.delete(name);
      // Behind those of all others.
      if (lane.length > 0) this.#lanes.set(name, lane);
      if (socket?.destroyed === false) return socket;
    }
    return undefined;
  }
}
