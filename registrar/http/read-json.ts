import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { decodeUtf8 } from '../../crypto/primitives/bytes.ts';
import { parseStrictJson } from '../../crypto/primitives/strict-json.ts';
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
  const pieces: Buffer[] = [];
  let length = 0;
  // A body that is refused half way is read on and dropped, so that its sender gets to see the answer.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > maximumLength) throw new RegistrarError('too-large');
    pieces.push(piece);
  }
  let value: unknown;
  try {
    value = parseStrictJson(decodeUtf8(Buffer.concat(pieces)));
  } catch {
    throw new RegistrarError('bad-request');
  }
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) throw new RegistrarError('bad-request');
  return parsed.output;
}
