import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { GrowingBytes } from '../../crypto/protocol/bytes/growing-bytes.ts';
import { jsonBudgetOf } from '../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../crypto/protocol/json/strict-json.ts';
import { RegistrarError } from '../registrar-error.ts';

/** A token of 8 KiB and a few fields. */
const maximumLength = 12_288;

/** @throws {RegistrarError} `wrong-media-type`, `too-large`, `bad-request`. */
export async function readJson<Schema extends v.GenericSchema>(
  request: IncomingMessage,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  if (!/^application\/json(;\s*charset=utf-8)?$/i.test(request.headers['content-type'] ?? '')) {
    throw new RegistrarError('wrong-media-type');
  }
  if (Number(request.headers['content-length'] ?? 0) > maximumLength) throw new RegistrarError('too-large');
  const body = new GrowingBytes(maximumLength);
  // A body that is refused half way is read on and dropped, so that its sender gets to see the answer.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (body.length + piece.length > maximumLength) throw new RegistrarError('too-large');
    body.push(piece);
  }
  let value: unknown;
  try {
    value = parseStrictJson(body.take(), jsonBudgetOf(schema));
  } catch {
    throw new RegistrarError('bad-request');
  }
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) throw new RegistrarError('bad-request');
  return parsed.output;
}
