import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { GrowingBytes } from '../../../../crypto/protocol/bytes/growing-bytes.ts';
import type { JsonBudget } from '../../../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../../../crypto/protocol/json/strict-json.ts';
import { RelayCallError } from './relay-call-error.ts';

/** The beginning of a body; `isCut` where there is more of it. */
export type BodyPart = { readonly bytes: Bytes; readonly isCut: boolean };

/** Reads a body to its end or up to a limit: a relay that sends for ever fills no memory (M25, M36). */
export async function readBodyPart(response: Response, maximumLength: number): Promise<BodyPart> {
  const body = new GrowingBytes(maximumLength);
  if (response.body !== null) {
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const room = maximumLength - body.length;
      body.push(value.subarray(0, room));
      if (value.length <= room) continue;
      reader.cancel().catch(() => undefined);
      return { bytes: body.take(), isCut: true };
    }
  }
  return { bytes: body.take(), isCut: false };
}

/** Reads a whole body. @throws {RelayCallError} `malformed-answer` beyond the limit. */
export async function readBoundedBody(response: Response, maximumLength: number): Promise<Bytes> {
  const { bytes, isCut } = await readBodyPart(response, maximumLength);
  if (isCut) throw new RelayCallError('malformed-answer');
  return bytes;
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
