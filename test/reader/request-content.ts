import { readCanonicalJson, writeCanonicalJson, type JsonObject } from './canonical-json.ts';
import type { Bytes } from './conventions.ts';
import * as json from './json-schema.ts';
import { refuse } from './refusal.ts';

const longestContent = 16 * 1024 * 1024 - 4;

/** The schema of SPEC.md §7.3. */
const schema = json.isObject({
  format: json.isFormat,
  turnKey: json.isBytes(32),
  evidenceDigest: json.isHash,
  cacheSalt: json.isHash,
  messages: json.isListOf(
    1,
    10_000,
    json.isObject({ role: json.isOneOf('system', 'user', 'assistant'), text: json.isText(0, 2_000_000) }),
  ),
  parameters: json.isObject({
    'temperature?': json.isNumber(0, 2),
    'topP?': json.isNumber(0, 1),
    'maximumTokens?': json.isInteger(1, 1_000_000),
    'reasoning?': json.isOneOf(true, false),
  }),
});

export const writeRequestContent = (content: JsonObject): Bytes =>
  schema(content) ? writeCanonicalJson(content) : refuse('invalid-argument');

export const readRequestContent = (bytes: Bytes): JsonObject =>
  json.readObject(readCanonicalJson(bytes, longestContent), schema);
