import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { jsonBudgetOf } from '../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../crypto/protocol/json/strict-json.ts';
import { readJsonBody } from '../../process/http/json-body.ts';
import { RegistrarError } from '../registrar-error.ts';

/** A token of 8 KiB and a few fields. */
const maximumLength = 12_288;

/** @throws {RegistrarError} `wrong-media-type`, `too-large`, `bad-request`. */
export async function readJson<Schema extends v.GenericSchema>(
  request: IncomingMessage,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const body = await readJsonBody(request, maximumLength, (why) => new RegistrarError(why));
  let value: unknown;
  try {
    value = parseStrictJson(body, jsonBudgetOf(schema));
  } catch {
    throw new RegistrarError('bad-request');
  }
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) throw new RegistrarError('bad-request');
  return parsed.output;
}
