import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/* Node's HTTP/1.1 parser does this before anybody is asked. If a later Node is otherwise, nothing here has an effect. */

/** It keeps its callbacks in numbered places; a place without a function is passed over (`node_http_parser.cc`). */
type Parser = Record<string, unknown> & { readonly incoming?: IncomingMessage | null; readonly socket?: unknown };
type OnBody = (this: Parser, piece: Uint8Array) => void;

/** Node's own, by what stands in its place. */
const originals = new WeakMap<object, OnBody>();

/** The pieces of one call's body so far. */
export type BodyPieces = { readonly count: number; readonly length: number };

export type PieceWatch = {
  /** Told of each piece before Node makes an object of it. */
  isTooMany(call: IncomingMessage, pieces: BodyPieces): boolean;
  /** The body was given up: nothing more of this connection is read, and the body never ends. */
  onFlood(call: IncomingMessage): void;
};

/**
 * Bounds what chunks of HTTP/1.1 cost (RFC 9112 §7.1). One read of a socket holds ten thousand of one byte, and Node makes an
 * object of each before anybody can stop it. From two hundred connections that is seconds, and gigabytes.
 */
export function watchPieces(socket: Duplex, watch: PieceWatch): void {
  const parser = (socket as { readonly parser?: Parser | null }).parser;
  const place = Object.keys(parser ?? {}).find((name) => originalOf(parser?.[name]) !== undefined);
  if (!parser || place === undefined) return;
  const onBody = originalOf(parser[place]) as OnBody;
  let [current, count, length] = [parser.incoming, 0, 0];
  const look = (piece: Uint8Array) => {
    const { incoming } = parser;
    // Parsers are used again, also for what this process asks: behind a tunnel that was asked for before its socket closes.
    if (parser.socket !== socket) parser[place] = onBody;
    if (parser.socket !== socket || !incoming) return onBody.call(parser, piece);
    if (current !== incoming) [current, count, length] = [incoming, 0, 0];
    count += 1;
    length += piece.length;
    if (!watch.isTooMany(incoming, { count, length })) return onBody.call(parser, piece);
    parser[place] = null;
    whenFreed(parser, () => (parser[place] = onBody));
    // A reader of the body, or code that drops it, would have the socket read on.
    socket.pause().resume = () => socket;
    watch.onFlood(incoming);
  };
  originals.set(look, onBody);
  parser[place] = look;
  // Before Node's own listener, which gives it back.
  socket.prependOnceListener('close', () => {
    if (parser[place] === look) parser[place] = onBody;
  });
}

/**
 * Node would read all heads of a packet with a thousand, with two objects for each, though the connection is gone.
 * Its parser ends at a head that nobody takes (`parserOnHeadersComplete` in Node's `_http_common`).
 */
export function stopParsing(socket: Duplex & { parser?: { onIncoming?: unknown } | null }): void {
  if (typeof socket.parser?.onIncoming === 'function') socket.parser.onIncoming = () => -1;
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
