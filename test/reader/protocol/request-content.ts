import { readCanonicalJson, writeCanonicalJson, type Json, type JsonObject } from './canonical-json.ts';
import type { Bytes } from './conventions.ts';
import * as json from './json-schema.ts';
import { refuse } from './refusal.ts';

const longestContent = 16 * 1024 * 1024 - 4;

const parameters = json.isObject({
  'temperature?': json.isNumber(0, 2),
  'topP?': json.isNumber(0, 1),
  'maximumTokens?': json.isInteger(1, 1_000_000),
  'reasoning?': json.isOneOf(true, false),
});
const shared = { turnKey: json.isBytes(32), evidenceDigest: json.isHash, cacheSalt: json.isHash };

const format1 = json.isObject({
  format: json.isFormat,
  ...shared,
  messages: json.isListOf(
    1,
    10_000,
    json.isObject({ role: json.isOneOf('system', 'user', 'assistant'), text: json.isText(0, 2_000_000) }),
  ),
  parameters,
});

const source = json.isObject({
  fileId: json.isId,
  name: json.isText(0, 255),
  page: json.isNullOr(json.isInteger(1, 1_000_000)),
  start: json.isCount,
});
const part = json.isAnyOf(
  json.isObject({ kind: json.isOneOf('text'), text: json.isText(0, 2_000_000) }),
  json.isObject({
    kind: json.isOneOf('image'),
    mediaType: json.isOneOf('image/jpeg', 'image/png', 'image/webp'),
    bytes: json.isBytesOf(1, 8 * 1024 * 1024),
  }),
  json.isObject({ kind: json.isOneOf('passage'), text: json.isText(1, 200_000), source }),
);
const message = json.isObject({ role: json.isOneOf('user', 'assistant'), parts: json.isListOf(1, 64, part) });
const hasFewParts: json.Check = (value) =>
  Array.isArray(value) &&
  value.reduce<number>((sum, each) => sum + ((each as JsonObject)['parts'] as Json[]).length, 0) <= 20_000;

const chat = json.isObject({
  format: json.isOneOf(2),
  kind: json.isOneOf('chat'),
  ...shared,
  'system?': json.isText(1, 200_000),
  messages: json.isAllOf(json.isListOf(1, 10_000, message), hasFewParts),
  wants: json.isObject({
    'title?': json.isOneOf(true),
    'summary?': json.isObject({ covered: json.isHash, messages: json.isInteger(1, 10_000) }),
  }),
  parameters,
});
const embed = json.isObject({
  format: json.isOneOf(2),
  kind: json.isOneOf('embed'),
  ...shared,
  purpose: json.isOneOf('passage', 'query'),
  texts: json.isListOf(1, 64, json.isText(1, 8_192)),
});

/** The schemas of SPEC.md §7.3. */
const schema = json.isAnyOf(format1, chat, embed);

/** Names what a request uses of SPEC.md §9.2, in the order of the alphabet. */
export function usesOf(content: JsonObject): string[] {
  if (content['format'] === 1) return [];
  if (content['kind'] === 'embed') return ['embed'];
  const list = content['messages'] as { role: string; parts: { kind: string }[] }[];
  const wants = content['wants'] as JsonObject;
  const uses = list.at(-1)?.role === 'assistant' ? ['continue'] : [];
  if (list.some(({ parts }) => parts.some(({ kind }) => kind === 'image'))) uses.push('images');
  return [...uses, ...['summary', 'title'].filter((name) => Object.hasOwn(wants, name))];
}

export const writeRequestContent = (content: JsonObject): Bytes =>
  schema(content) ? writeCanonicalJson(content) : refuse('invalid-argument');

export const readRequestContent = (bytes: Bytes): JsonObject =>
  json.readObject(readCanonicalJson(bytes, longestContent), schema);
