import * as v from 'valibot';
import { type Bytes, encodeUtf8, equalBytes } from '../bytes/bytes.ts';
import { CryptoError } from '../bytes/errors.ts';
import { jsonBudgetOrLoose, maximumJsonDepth } from './json-budget.ts';
import { parseStrictJson } from './strict-json.ts';

function write(value: unknown, depth: number, pieces: string[]): void {
  if (value === null || typeof value === 'boolean') {
    pieces.push(String(value));
  } else if (typeof value === 'string') {
    // Half a surrogate pair has no UTF-8; a text cut in the middle of an emoji must still be storable.
    pieces.push(JSON.stringify(value.toWellFormed()));
  } else if (typeof value === 'number' && Number.isFinite(value)) {
    pieces.push(JSON.stringify(value));
  } else if (typeof value === 'object') {
    if (depth === maximumJsonDepth) throw new CryptoError('invalid-argument');
    if (Array.isArray(value)) writeArray(value, depth + 1, pieces);
    else writeObject(value, depth + 1, pieces);
  } else {
    throw new CryptoError('invalid-argument');
  }
}

function writeArray(values: readonly unknown[], depth: number, pieces: string[]): void {
  let separator = '[';
  for (const value of values) {
    pieces.push(separator);
    write(value, depth, pieces);
    separator = ',';
  }
  pieces.push(values.length === 0 ? '[]' : ']');
}

function writeObject(value: object, depth: number, pieces: string[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new CryptoError('invalid-argument');
  // Sorted by UTF-16 code units, as RFC 8785 §3.2.3 sorts them.
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  let separator = '{';
  for (const [key, member] of entries) {
    if (key === '__proto__') throw new CryptoError('invalid-argument');
    pieces.push(separator, JSON.stringify(key.toWellFormed()), ':');
    write(member, depth, pieces);
    separator = ',';
  }
  pieces.push(entries.length === 0 ? '{}' : '}');
}

/**
 * The one spelling of a JSON value (RFC 8785, SPEC.md §1.4): sorted keys, no white space, UTF-8.
 *
 * @param value - Plain objects, arrays, strings, finite numbers, booleans, null; nested 16 deep at most.
 * @throws {CryptoError} `invalid-argument` for anything else, `undefined` included.
 */
export function encodeCanonicalJson(value: unknown): Bytes {
  const pieces: string[] = [];
  write(value, 0, pieces);
  return encodeUtf8(pieces.join(''));
}

/**
 * Reads canonical JSON of one schema, and nothing that is merely equivalent to it. A text that two parsers could read
 * differently has another encoding and is refused (duplicate keys, `__proto__`, odd numbers, trailing bytes). A text with more
 * values or deeper nesting than the schema could need is refused before it is built.
 *
 * @throws {CryptoError} `malformed`.
 */
export function decodeCanonicalJson<Schema extends v.GenericSchema>(
  bytes: Uint8Array,
  schema: Schema,
  maximumLength: number,
): v.InferOutput<Schema> {
  if (bytes.length > maximumLength) throw new CryptoError('malformed');
  const value = parseStrictJson(bytes, jsonBudgetOrLoose(schema));
  let written: Bytes;
  try {
    written = encodeCanonicalJson(value);
  } catch {
    throw new CryptoError('malformed');
  }
  if (!equalBytes(written, bytes)) throw new CryptoError('malformed');
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw new CryptoError('malformed');
  return parsed.output;
}
