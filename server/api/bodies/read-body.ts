import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { GrowingBytes } from '../../../crypto/protocol/bytes/growing-bytes.ts';
import type { JsonBudget } from '../../../crypto/protocol/json/json-budget.ts';
import { JsonScanner } from '../../../crypto/protocol/json/json-scanner.ts';
import { isJsonType } from '../../../process/http/json-body.ts';
import { RelayError } from '../route/relay-error.ts';
import { isFlood, onFlood } from './tiny-chunks.ts';
import { countPieces } from './unread-bodies.ts';

/** HTTP/2 has no deadline of its own for a request; HTTP/1.1's is as long. */
const deadlineMs = 180_000;

export type BodyLimits = {
  readonly maximumLength: number;
  readonly budget: JsonBudget;
  /** Told of the bytes of every piece before it is kept; what it throws ends the reading. */
  readonly onLength?: (length: number) => void;
  /** Told of memory before it is taken. */
  readonly onGrowth?: (added: number) => void;
};

/**
 * Reads a JSON body, and looks at it while it comes. A body that is too long, or holds more than the budget, is refused at that
 * place and neither read to its end nor kept.
 *
 * @param incoming - Node's request where there is one: its stream is several times cheaper than the web stream.
 * @returns bytes that only `parseScannedJson` has still to read.
 * @throws {RelayError} `too-large`, `bad-request`.
 */
export async function readBody(
  request: Request,
  incoming: IncomingMessage | undefined,
  limits: BodyLimits,
): Promise<Bytes> {
  const { maximumLength, budget, onLength, onGrowth } = limits;
  if (announcedLength(request) > maximumLength) throw new RelayError('too-large');
  const body = new GrowingBytes(maximumLength, onGrowth);
  const scanner = new JsonScanner(budget);
  const take = (piece: Uint8Array) => {
    if (body.length + piece.length > maximumLength) throw new RelayError('too-large');
    onLength?.(piece.length);
    scanner.push(piece);
    body.push(piece);
  };
  try {
    if (incoming === undefined) for await (const piece of request.body ?? []) take(piece as Uint8Array);
    else await takeAll(incoming, take);
    scanner.end();
  } catch (error) {
    // Otherwise the connection broke, it was too slow, or it is no JSON of one meaning (M24).
    throw error instanceof RelayError ? error : new RelayError('bad-request');
  }
  return body.take();
}

/** By events: an iterator would cost several times as much for each piece. */
function takeAll(incoming: IncomingMessage, take: (piece: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const isTooMany = countPieces(incoming);
    const timer = setTimeout(() => incoming.destroy(), deadlineMs);
    const leave = () => {
      clearTimeout(timer);
      ignoreFlood();
      incoming.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
    };
    const refuse = (error: Error) => {
      leave();
      // Bytes that still come are dropped behind the answer; a connection that breaks until then is no error.
      incoming.on('error', () => undefined);
      reject(error);
    };
    const ignoreFlood = onFlood(incoming, () => refuse(new RelayError('too-large')));
    const onData = (piece: Uint8Array) => {
      try {
        if (isTooMany(piece)) throw new RelayError('too-large');
        take(piece);
      } catch (error) {
        refuse(error as Error);
      }
    };
    const onEnd = () => {
      leave();
      resolve();
    };
    const onBroken = () => {
      leave();
      reject(new RelayError('bad-request'));
    };
    if (incoming.destroyed) return onBroken();
    if (isFlood(incoming)) return refuse(new RelayError('too-large'));
    incoming.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

/** Bytes that the request says it has; 0 when it does not say. */
export function announcedLength(request: Request): number {
  const header = request.headers.get('content-length');
  if (header === null) return 0;
  return /^\d{1,15}$/.test(header) ? Number(header) : Number.MAX_SAFE_INTEGER;
}

/** @throws {RelayError} `wrong-media-type`. */
export function requireJson(request: Request): void {
  const { headers } = request;
  const isJson = isJsonType(headers.get('content-type'), headers.get('content-encoding'));
  if (!isJson) throw new RelayError('wrong-media-type');
}
