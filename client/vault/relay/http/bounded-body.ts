import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { GrowingBytes } from '../../../../crypto/protocol/bytes/growing-bytes.ts';
import type { JsonBudget } from '../../../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../../../crypto/protocol/json/strict-json.ts';
import { RelayCallError } from './relay-call-error.ts';

/**
 * Reads a body up to a limit: a relay that sends for ever fills no memory (M25, M36).
 *
 * @throws {RelayCallError} `malformed-answer` beyond the limit.
 */
export async function readBoundedBody(response: Response, maximumLength: number): Promise<Bytes> {
  const body = new GrowingBytes(maximumLength);
  if (response.body !== null) {
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (body.length + value.length > maximumLength) {
        reader.cancel().catch(() => undefined);
        throw new RelayCallError('malformed-answer');
      }
      body.push(value);
    }
  }
  return body.take();
}

/**
 * @throws {RelayCallError} `malformed-answer` for what is not UTF-8, not JSON, JSON with two meanings (M24), or more than the
 *   budget.
 */
export function parseJson(bytes: Uint8Array, budget: JsonBudget): unknown {
  try {
    return parseStrictJson(bytes, budget);
  } catch {
    throw new RelayCallError('malformed-answer');
  }
}
