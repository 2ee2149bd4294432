import type { IncomingMessage } from 'node:http';
import { RelayError } from '../relay-error.ts';

/** HTTP/2 has no deadline of its own for a request; HTTP/1.1's is as long. */
const deadlineMs = 180_000;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a body up to a hard limit: what is longer is refused by its announced length, or as soon as it has passed the limit.
 *
 * @param incoming - Node's request where there is one: its stream is several times cheaper than the web stream.
 * @param onLength - Told of every piece before it is kept; what it throws ends the reading.
 * @throws {RelayError} `too-large`, `bad-request`.
 */
export async function readBody(
  request: Request,
  incoming: IncomingMessage | undefined,
  maximumLength: number,
  onLength: (length: number) => void = () => undefined,
): Promise<string> {
  if (announcedLength(request) > maximumLength) throw new RelayError('too-large');
  const pieces: Uint8Array[] = [];
  let length = 0;
  const source: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = incoming ?? request.body ?? [];
  const timer = setTimeout(() => incoming?.destroy(), deadlineMs);
  try {
    for await (const piece of source) {
      length += piece.length;
      if (length > maximumLength) throw new RelayError('too-large');
      onLength(piece.length);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof RelayError) throw error;
    // The connection broke, or it was too slow.
    throw new RelayError('bad-request');
  } finally {
    clearTimeout(timer);
  }
  try {
    return decoder.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, length));
  } catch {
    throw new RelayError('bad-request');
  }
}

/** Bytes that the request says it has; 0 when it does not say. */
export function announcedLength(request: Request): number {
  const header = request.headers.get('content-length');
  if (header === null) return 0;
  return /^\d{1,15}$/.test(header) ? Number(header) : Number.MAX_SAFE_INTEGER;
}

/** @throws {RelayError} `wrong-media-type`: a form or a plain text could be sent by any page without asking (M40). */
export function requireJson(request: Request): void {
  const type = request.headers.get('content-type') ?? '';
  const isJson = /^application\/json(?:; ?charset=utf-8)?$/i.test(type);
  if (!isJson || request.headers.has('content-encoding')) throw new RelayError('wrong-media-type');
}
