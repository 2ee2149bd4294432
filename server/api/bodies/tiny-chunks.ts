import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Chunks that a call may send, with one more for each so many bytes. A chunk costs as much time as a kilobyte does. */
const usual = { free: 256, bytesPerChunk: 256 } as const;
/** The same while chunks of many connections fill a turn of the event loop. */
const tight = { free: 32, bytesPerChunk: 1_024 } as const;
/** About 20 ms of work. */
const chunksPerTurn = 2_000;

/** Node's parser keeps its callbacks in numbered places; a place without a function is passed over (`node_http_parser.cc`). */
type Parser = Record<string, unknown> & { readonly incoming?: IncomingMessage | null; readonly socket?: unknown };
type OnBody = (this: Parser, piece: Uint8Array) => void;

/** Node's own, by what stands in its place. */
const originals = new WeakMap<object, OnBody>();
const flooding = new WeakSet<IncomingMessage>();
const flooded = Symbol('flooded');

/** Whether a body was given up: nothing more of it is read, and it never ends. */
export function isFlood(request: IncomingMessage): boolean {
  return flooding.has(request);
}

/** @returns how to hear no more of it. */
export function onFlood(request: IncomingMessage, listener: () => void): () => void {
  request.once(flooded, listener);
  return () => void request.off(flooded, listener);
}

/**
 * Bounds what chunks of HTTP/1.1 cost (RFC 9112 §7.1). One read of a socket holds ten thousand of one byte, and Node makes an
 * object of each before anybody can stop it: from two hundred connections that is seconds, and gigabytes.
 *
 * It takes Node's parser at its callbacks. Where they are named otherwise nothing is bounded here, and `countPieces` is left.
 */
export class TinyChunks {
  #inTurn = 0;

  /** @param onEnd - Told when a body of this connection is given up: no call may follow it there. */
  watch(socket: Socket, onEnd: () => void): void {
    const parser = (socket as { readonly parser?: Parser | null }).parser;
    const place = Object.entries(parser ?? {}).find(([, value]) => originalOf(value) !== undefined)?.[0];
    if (!parser || place === undefined) return;
    const onBody = originalOf(parser[place]) as OnBody;
    let [current, chunks, length] = [parser.incoming, 0, 0];
    const count = (piece: Uint8Array) => {
      const { incoming } = parser;
      // Parsers are used again, also for what this process asks: behind a tunnel that was asked for before its socket closes.
      if (parser.socket !== socket) parser[place] = onBody;
      if (parser.socket !== socket || incoming?.headers['transfer-encoding'] === undefined) {
        return onBody.call(parser, piece);
      }
      if (current !== incoming) [current, chunks, length] = [incoming, 0, 0];
      chunks += 1;
      length += piece.length;
      this.#count();
      if (!isTooMany(usual, chunks, length) && !(this.#inTurn > chunksPerTurn && isTooMany(tight, chunks, length))) {
        return onBody.call(parser, piece);
      }
      parser[place] = null;
      whenFreed(parser, () => (parser[place] = onBody));
      socket.pause();
      // Whoever reads or drops the body would have the socket read on.
      socket.resume = () => socket;
      flooding.add(incoming);
      onEnd();
      incoming.emit(flooded);
    };
    originals.set(count, onBody);
    parser[place] = count;
    // Before Node's own listener, which gives it back.
    socket.prependOnceListener('close', () => {
      if (parser[place] === count) parser[place] = onBody;
    });
  }

  #count(): void {
    if (this.#inTurn === 0) setImmediate(() => (this.#inTurn = 0));
    this.#inTurn += 1;
  }
}

function isTooMany({ bytesPerChunk, free }: typeof usual | typeof tight, chunks: number, length: number): boolean {
  return chunks > free + length / bytesPerChunk;
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
