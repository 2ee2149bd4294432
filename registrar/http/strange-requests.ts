import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorAnswer, headersOf } from './routes.ts';

/** How long the sender of something unreadable may take to read its answer. */
const lingerMs = 2_000;
/** Of a body of at most twelve kilobytes. */
const maximumChunks = 512;

type Parser = Record<string, unknown> & { readonly incoming?: IncomingMessage | null; readonly socket?: unknown };
type OnBody = (this: Parser, piece: Uint8Array) => void;
/** Node's own, by what stands in its place. */
const originals = new WeakMap<object, OnBody>();

/**
 * Whether this is a request that all who pass it on read as we do: one host, a path as its target, no expectation but the known
 * one. The parser has refused what has two lengths.
 */
export function isPlain({ rawHeaders, headers, httpVersion, url }: IncomingMessage): boolean {
  // Node's own object keeps the first `Host` alone.
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  const isOneHost = hosts === 1 || (hosts === 0 && httpVersion === '1.0');
  return isOneHost && url?.startsWith('/') === true && /^(100-continue)?$/i.test(headers.expect ?? '');
}

/** Answers what never becomes a request: a line or a body that the parser refuses, headers that are too long, a tunnel. */
export class UnreadableRequests {
  readonly #onRefusal: (socket: Duplex, status: number) => boolean;
  /** Connections that speak HTTP, with the newest answer of each; a TLS handshake that fails is none. */
  readonly #newest = new WeakMap<Duplex, ServerResponse | null>();
  readonly #refused = new WeakSet<Duplex>();

  /** @param onRefusal - Told of each; says whether there is an answer, or only an end. */
  constructor(server: Server, isTls: boolean, onRefusal: (socket: Duplex, status: number) => boolean) {
    this.#onRefusal = onRefusal;
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Duplex) => {
      this.#newest.set(socket, null);
      this.#boundChunks(socket);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuse(socket, statusOf(error.code)));
    server.on('connect', (_request, socket) => {
      // Node has let go of it.
      socket.on('error', () => undefined).resume();
      this.#refuse(socket, '400 Bad Request');
    });
  }

  /** Told of each request before it is answered. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#newest.set(request.socket, response);
  }

  /**
   * A packet holds ten thousand chunks of one byte, and Node makes an object of each before anybody can stop it. A place of its
   * parser without a function is passed over (`node_http_parser.cc`); parsers are used again, so it gets it back.
   */
  #boundChunks(socket: Duplex & { readonly parser?: Parser | null }): void {
    const { parser } = socket;
    const place = Object.keys(parser ?? {}).find((name) => originalOf(parser?.[name]) !== undefined);
    if (!parser || place === undefined) return;
    const onBody = originalOf(parser[place]) as OnBody;
    let [chunks, current] = [0, parser.incoming];
    const count = (piece: Uint8Array) => {
      // Another connection's by now, behind a tunnel that was asked for.
      if (parser.socket !== socket) {
        parser[place] = onBody;
        return onBody.call(parser, piece);
      }
      if (current !== parser.incoming) [chunks, current] = [0, parser.incoming];
      chunks += 1;
      if (chunks <= maximumChunks) return onBody.call(parser, piece);
      parser[place] = null;
      whenFreed(parser, () => (parser[place] = onBody));
      // Whoever reads the body would have the connection read on.
      socket.pause().resume = () => socket;
      this.#refuse(socket, '400 Bad Request');
    };
    originals.set(count, onBody);
    parser[place] = count;
    socket.prependOnceListener('close', () => {
      if (parser[place] === count) parser[place] = onBody;
    });
  }

  #refuse(socket: Duplex, status: string): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const newest = this.#newest.get(socket);
    if (newest === undefined || !socket.writable) return void socket.destroy();
    if (newest === null) return this.#answer(socket, status);
    if (!newest.req.complete) {
      // Its body is what cannot be read: a second answer to one call would be taken for the next one's.
      if (newest.headersSent || newest.socket !== socket) socket.destroy();
      else this.#answer(socket, status);
    } else if (newest.closed) this.#answer(socket, status);
    // The calls before it get their own answers first.
    else newest.once('close', () => this.#answer(socket, status));
  }

  #answer(socket: Duplex, status: string): void {
    if (!socket.writable || !this.#onRefusal(socket, Number(status.slice(0, 3)))) return void socket.destroy();
    const answer = errorAnswer('bad-request');
    const headers = Object.entries({ ...headersOf(answer), connection: 'close' });
    const head = [`HTTP/1.1 ${status}`, ...headers.map((header) => header.join(': '))].join('\r\n');
    socket.write(`${head}\r\n\r\n`);
    socket.end(answer.body);
    // Cut while it is still sending, its system would throw the answer away.
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
  }
}

/**
 * Takes no further head, and calls once Node writes another callback in that one's place: it does so before a parser serves
 * anybody else (`cleanParser` in its `_http_common`).
 */
function whenFreed(parser: Parser, free: () => void): void {
  Object.defineProperty(parser, 'onIncoming', {
    configurable: true,
    enumerable: true,
    get: () => () => -1,
    set: (value: unknown) => {
      Object.defineProperty(parser, 'onIncoming', { configurable: true, enumerable: true, writable: true, value });
      free();
    },
  });
}

function originalOf(value: unknown): OnBody | undefined {
  if (typeof value !== 'function') return undefined;
  return value.name === 'parserOnBody' ? (value as OnBody) : originals.get(value);
}

function statusOf(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
}
