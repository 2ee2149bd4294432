import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { GrowingBytes } from '../../crypto/protocol/bytes/growing-bytes.ts';
import { jsonBudgetOf } from '../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../crypto/protocol/json/strict-json.ts';

/** Why a body is not read, or not to its end. */
export type BodyRefusal = 'wrong-media-type' | 'too-large' | 'bad-request';

/** A form or a plain text could be sent by any page without asking (M40). */
export function isJsonType(
  contentType: string | null | undefined,
  contentEncoding: string | null | undefined,
): boolean {
  const hasEncoding = contentEncoding !== null && contentEncoding !== undefined;
  return !hasEncoding && /^application\/json(?:; ?charset=utf-8)?$/i.test(contentType ?? '');
}

/**
 * Reads a JSON body as bytes of its own memory, which can be handed to another thread.
 *
 * @param refuse - Makes what is thrown, also for a body that was cut.
 */
export async function readJsonBody(
  request: IncomingMessage,
  maximumLength: number,
  refuse: (why: BodyRefusal) => Error,
): Promise<Bytes> {
  const { headers } = request;
  if (!isJsonType(headers['content-type'], headers['content-encoding'])) throw refuse('wrong-media-type');
  if (Number(headers['content-length'] ?? 0) > maximumLength) throw refuse('too-large');
  const body = new GrowingBytes(maximumLength);
  let isTooLarge = false;
  try {
    // A body that is refused half way is read on and dropped, so that its sender gets to see the answer.
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      isTooLarge = body.length + piece.length > maximumLength;
      if (isTooLarge) break;
      body.push(piece);
    }
  } catch {
    throw refuse('bad-request');
  }
  if (isTooLarge) throw refuse('too-large');
  return body.take();
}

/** Reads a message of a declared shape. @param refuse - Makes what is thrown for everything else. */
export async function readJsonMessage<Schema extends v.GenericSchema>(
  request: IncomingMessage,
  schema: Schema,
  maximumLength: number,
  refuse: (why: BodyRefusal) => Error,
): Promise<v.InferOutput<Schema>> {
  const body = await readJsonBody(request, maximumLength, refuse);
  let value: unknown;
  try {
    value = parseStrictJson(body, jsonBudgetOf(schema));
  } catch {
    throw refuse('bad-request');
  }
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) throw refuse('bad-request');
  return parsed.output;
}
