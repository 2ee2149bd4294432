import { isEqual, readUtf8, utf8, type Bytes } from './conventions.ts';
import { refuse, type RefusalCode } from './refusal.ts';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

const deepest = 16;

/** Writes canonical JSON (SPEC.md §1.4). */
export const writeCanonicalJson = (value: Json): Bytes => utf8(written(value, 1, 'invalid-argument'));

/** Reads canonical JSON: parses, writes again, compares. The schema is the caller's. */
export function readCanonicalJson(bytes: Bytes, longest: number): Json {
  if (bytes.length > longest) refuse('malformed');
  const text = readUtf8(bytes);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return refuse('malformed');
  }
  return isEqual(utf8(written(value, 1, 'malformed')), bytes) ? value : refuse('malformed');
}

function written(value: Json, depth: number, code: RefusalCode): string {
  // String(-0) is 0, as RFC 8785 wants it.
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : refuse(code);
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (depth > deepest) return refuse(code);
  if (Array.isArray(value)) return `[${value.map((element) => written(element, depth + 1, code)).join(',')}]`;
  // Array.prototype.sort without a comparator compares UTF-16 code units, which is the order wanted.
  const members = Object.keys(value)
    .toSorted()
    .map((key) => {
      const member = value[key];
      if (key === '__proto__' || member === undefined) return refuse(code);
      return `${quoted(key)}:${written(member, depth + 1, code)}`;
    });
  return `{${members.join(',')}}`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

function quoted(text: string): string {
  const escaped = text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are the characters that JSON escapes
    .replaceAll(/["\\\u0000-\u001f]/g, (character) => {
      const code = character.charCodeAt(0).toString(16).padStart(4, '0');
      return shortEscapes[character] ?? `\\u${code}`;
    });
  return `"${escaped}"`;
}
