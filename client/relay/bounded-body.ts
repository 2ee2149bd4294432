import { type Bytes, decodeUtf8 } from '../../crypto/primitives/bytes.ts';
import { parseStrictJson } from '../../crypto/primitives/strict-json.ts';
import { RelayCallError } from './relay-call-error.ts';

/**
 * Reads a body up to a limit: a relay that sends for ever fills no memory (M25, M36).
 *
 * @throws {RelayCallError} `malformed-answer` beyond the limit.
 */
export async function readBoundedBody(response: Response, maximumLength: number): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  if (response.body !== null) {
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > maximumLength) {
        reader.cancel().catch(() => undefined);
        throw new RelayCallError('malformed-answer');
      }
      pieces.push(value);
    }
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** @throws {RelayCallError} `malformed-answer` for what is not UTF-8, not JSON, or JSON with two meanings (M24). */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(decodeUtf8(bytes));
  } catch {
    throw new RelayCallError('malformed-answer');
  }
}
