import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import { networksOf } from '../../process/http/networks.ts';
import { FairTurns } from './fair-turns.ts';

/**
 * Lets TLS handshakes begin a few in each turn of the event loop, and those of different addresses by turns. An address may have
 * hundreds of connections: greetings that come over all of them at one moment would be one turn, of a second with RSA.
 */
export class HandshakeTurns {
  readonly #server: Http2SecureServer;
  /** Node's own, which wrap a connection and read what has come by then. */
  readonly #own: readonly ((socket: Socket) => void)[];
  /** Holds connections that have said something, by their addresses. */
  readonly #turns = new FairTurns();

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
    this.#turns.enter(network?.name ?? '', {
      isOver: () => socket.destroyed,
      begin: () => {
        for (const begin of this.#own) begin.call(this.#server, socket);
      },
    });
  }
}
