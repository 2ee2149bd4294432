import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers whose connection ends with them, because nobody reads the body that still comes. */
const ending = new WeakSet<ServerResponse>();

/**
 * A body of unannounced length that nobody reads ends its connection with the answer: it would be read to be dropped, for as
 * long as its sender likes, and tiny chunks cost most of all.
 */
export function endUnlessRead(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers['transfer-encoding'] === undefined || !response.shouldKeepAlive) return;
  response.shouldKeepAlive = false;
  ending.add(response);
}

/** Whoever is about to read the body bounds it, so the connection may be kept. */
export function willBeRead(response: ServerResponse | undefined): void {
  if (response !== undefined && ending.delete(response)) response.shouldKeepAlive = true;
}
