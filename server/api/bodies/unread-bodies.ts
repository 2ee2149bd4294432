import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { endFlood, streamOf } from './http2-watch.ts';
import { isFlood, onFlood } from './tiny-chunks.ts';

/** Answers whose connection ends with them, because nobody reads the body that still comes. */
const ending = new WeakSet<ServerResponse>();

/**
 * How much of a body that nobody wants is read behind its answer. A connection that is cut under a sender's hands takes the
 * answer with it, and a proxy says 502 (RFC 9112 §9.6). The longest body of ours fits, and no more.
 */
export type RestLimits = { readonly bytes: number; readonly totalMs: number; readonly idleMs: number };
export const usualRest: RestLimits = { bytes: 64 * 1024 * 1024, totalMs: 30_000, idleMs: 5_000 };

/** For so long the sender of a flood of chunks may read its answer. */
const floodMs = 1_000;

/** A body may come in so many pieces, and in one more for each so many bytes: one costs as much time as a kilobyte does. */
const freePieces = 2_048;
const bytesPerPiece = 64;

type Pieces = { count: number; length: number };
/** Counts all bodies of an HTTP/2 session together: it has many at once. */
const piecesOfSessions = new WeakMap<Http2Session, Pieces>();

/**
 * Counts the pieces of a body.
 *
 * @returns whether they are a flood of tiny ones; a session that sends them is over.
 */
export function countPieces(request: IncomingMessage): (piece: Uint8Array) => boolean {
  const session = streamOf(request)?.session;
  const pieces = (session && piecesOfSessions.get(session)) ?? { count: 0, length: 0 };
  if (session) piecesOfSessions.set(session, pieces);
  // A body in one piece is as short as it likes, however many of them a kept session brings.
  let isFirst = true;
  return (piece) => {
    if (!isFirst) pieces.count += 1;
    isFirst = false;
    pieces.length += piece.length;
    const isFlood = pieces.count > freePieces + pieces.length / bytesPerPiece;
    if (isFlood && session) endFlood(session);
    return isFlood;
  };
}

/**
 * A body of unannounced length that nobody reads ends its connection with the answer. It would be read to be dropped, for as
 * long as its sender likes, and tiny chunks cost most of all. The rest of any body behind its answer is read within limits.
 */
export function endUnlessRead(request: IncomingMessage, response: ServerResponse, limits: RestLimits): void {
  const stream = streamOf(request);
  if (stream === null) newest.set(request.socket, { request, limits });
  // Before Node itself begins to drop it, uncounted. HTTP/2's response says `finish` only when all is over.
  if (stream === null) response.once('prefinish', () => dropRest(request, limits));
  else stream.once('finish', () => dropRest(request, limits));
  if (request.headers['transfer-encoding'] === undefined || !response.shouldKeepAlive) return;
  response.shouldKeepAlive = false;
  ending.add(response);
}

/** The caller is about to read the body and bounds it, so the connection may be kept. */
export function willBeRead(response: ServerResponse | undefined): void {
  if (response !== undefined && ending.delete(response)) response.shouldKeepAlive = true;
}

type Asked = { readonly request: IncomingMessage; readonly limits: RestLimits };
/** The newest call of each HTTP/1.1 connection. */
const newest = new WeakMap<Socket, Asked>();
const dropping = new WeakSet<IncomingMessage>();

/** HTTP/1.1: Node destroys a connection that is not kept behind its answer; behind half a request it is ended in order. */
export function endInOrder(socket: Socket): void {
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    const asked = newest.get(socket);
    if (asked === undefined || asked.request.complete || asked.request.destroyed) return destroySoon();
    // The client sees that nothing more is said, and what it still sends is taken.
    socket.end();
    asked.request.once('close', destroySoon).once('end', destroySoon);
    dropRest(asked.request, asked.limits);
  };
}

function dropRest(request: IncomingMessage, limits: RestLimits): void {
  const stream = streamOf(request);
  // HTTP/2's request says that it is complete as soon as its answer is.
  const isOver = stream === null ? request.complete || request.destroyed : stream.readableEnded || stream.destroyed;
  if (isOver || dropping.has(request)) return;
  dropping.add(request);
  const source = stream ?? request;
  const isTooMany = countPieces(request);
  let length = 0;
  const leave = () => {
    clearTimeout(total);
    ignoreFlood();
    clearTimeout(idle);
    source.off('data', onData).off('end', leave).off('close', leave);
  };
  const cut = () => {
    leave();
    if (stream === null) request.socket.destroy();
    else stream.close();
  };
  const total = setTimeout(cut, isFlood(request) ? floodMs : limits.totalMs);
  const ignoreFlood = onFlood(request, cut);
  const idle = setTimeout(cut, limits.idleMs);
  const onData = (piece: Uint8Array) => {
    length += piece.length;
    if (length > limits.bytes || isTooMany(piece)) cut();
    else idle.refresh();
  };
  // A connection that breaks from now on is no error.
  source.on('error', () => undefined);
  source.on('data', onData).on('end', leave).on('close', leave);
  source.resume();
}
