import { readCanonicalJson, writeCanonicalJson, type JsonObject } from '../protocol/canonical-json.ts';
import { Fields, join, readUtf8, u8, utf8, type Bytes } from '../protocol/conventions.ts';
import * as json from '../protocol/json-schema.ts';
import { refuse } from '../protocol/refusal.ts';

const longestJson = 16 * 1024 * 1024 - 4;
const typeForm = /^[a-z][a-z0-9-]{0,31}$/;

const isLevel = json.isOneOf('any', 'stated', 'hardware', 'hardware-gpu');
const isMinimum = json.isObject({ setAtMs: json.isTimeMs, value: isLevel });

const codeForm = /^[a-z][a-z0-9-]{0,31}$/;
const isCode: json.Check = (value) => typeof value === 'string' && codeForm.test(value);

/** The schemas of SPEC.md §5.1. */
const schemas: Readonly<Record<string, json.Check>> = {
  conversation: json.isObject({
    cacheSalt: json.isHash,
    createdAtMs: json.isTimeMs,
    format: json.isFormat,
    'minimumProtection?': isMinimum,
    title: json.isObject({ setAtMs: json.isTimeMs, value: json.isText(0, 200) }),
  }),
  message: json.isObject({
    conversationId: json.isId,
    createdAtMs: json.isTimeMs,
    format: json.isFormat,
    parentId: json.isNullOr(json.isId),
    replyItemId: json.isId,
    text: json.isText(0, 200_000),
    turnId: json.isId,
    turnKey: json.isBytes(32),
    'verificationItemId?': json.isId,
  }),
  preference: json.isObject({
    format: json.isFormat,
    name: (value) => typeof value === 'string' && /^[a-z][a-z0-9-]{0,63}$/.test(value),
    setAtMs: json.isTimeMs,
    value: json.isText(0, 8_192),
  }),
  reply: json.isObject({
    conversationId: json.isId,
    createdAtMs: json.isTimeMs,
    engine: json.isText(0, 32),
    format: json.isFormat,
    model: json.isModel,
    outcome: json.isOneOf('complete', 'stopped', 'length', 'error', 'busy', 'cut-off'),
    parentId: json.isId,
    protection: json.isText(0, 500),
    reasoning: json.isText(0, 2_000_000),
    text: json.isText(0, 2_000_000),
    transcriptHash: json.isHash,
    turnId: json.isId,
    usage: json.isNullOr(json.isObject({ promptTokens: json.isCount, replyTokens: json.isCount })),
  }),
  'reply-note': json.isObject({
    codes: json.isListOf(0, 8, isCode),
    conversationId: json.isId,
    format: json.isFormat,
    leftOut: json.isCount,
    turnId: json.isId,
  }),
  settings: json.isObject({
    format: json.isFormat,
    'minimumProtection?': isMinimum,
    theme: json.isObject({ setAtMs: json.isTimeMs, value: json.isOneOf('system', 'light', 'dark') }),
  }),
  verification: json.isObject({
    document: json.isText(2, 8_388_608),
    format: json.isOneOf(1, 2),
    kind: json.isOneOf('development', 'modal', 'sev-snp', 'tdx'),
    level: isLevel,
    measurement: json.isNullOr(json.isText(0, 512)),
    model: json.isModel,
    release: json.isNullOr(json.isText(0, 64)),
    'turnId?': json.isId,
    verifiedAtMs: json.isTimeMs,
  }),
};

export const knownTypes = Object.keys(schemas);

export type ItemContent = { type: string; members: JsonObject };

/** `length of type || type || canonical JSON` (SPEC.md §5.1). */
export function writeItemContent(type: string, members: JsonObject): Bytes {
  const schema = schemas[type] ?? refuse('invalid-argument');
  if (!schema(members)) refuse('invalid-argument');
  return join(u8(type.length), utf8(type), writeCanonicalJson(members));
}

/** Null for a type that this page does not know: whatever stands behind it is a newer device's (SPEC.md §5.1). */
export function readItemContent(content: Bytes): ItemContent | null {
  const fields = new Fields(content);
  const type = readUtf8(fields.bytes(fields.integer(1)));
  if (!typeForm.test(type)) refuse('malformed');
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) return null;
  return { type, members: json.readObject(readCanonicalJson(fields.rest(), longestJson), schema) };
}
