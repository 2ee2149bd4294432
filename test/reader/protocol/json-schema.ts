import type { Json, JsonObject } from './canonical-json.ts';
import { decodeBase64url } from './conventions.ts';
import { refuse } from './refusal.ts';

/** Says whether a value is within its schema. */
export type Check = (value: Json | undefined) => boolean;

const modelForm = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/;

export const isOneOf =
  (...values: readonly Json[]): Check =>
  (value) =>
    values.some((allowed) => allowed === value);
export const isText =
  (shortest: number, longest: number): Check =>
  (value) =>
    typeof value === 'string' && value.length >= shortest && value.length <= longest;
export const isNumber =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;
export const isInteger =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && isNumber(least, most)(value);
export const isListOf =
  (shortest: number, longest: number, check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length >= shortest && value.length <= longest && value.every((each) => check(each));
export const isNullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const isBytes =
  (length: number): Check =>
  (value) => {
    if (typeof value !== 'string') return false;
    try {
      return decodeBase64url(value).length === length;
    } catch {
      return false;
    }
  };
/** An object with exactly these members; a name that ends in `?` may be absent. */
export const isObject =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) => {
    if (!isJsonObject(value)) return false;
    const names = Object.keys(members).map((name) => name.replace('?', ''));
    return (
      Object.keys(value).every((name) => names.includes(name)) &&
      Object.entries(members).every(([name, check]) => {
        const member = Object.hasOwn(value, name.replace('?', '')) ? value[name.replace('?', '')] : undefined;
        return member === undefined ? name.endsWith('?') : check(member);
      })
    );
  };

/** One of several schemas. */
export const isAnyOf =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
/** Lets through what every one of several checks does. */
export const isAllOf =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.every((check) => check(value));
/** base64url of a number of bytes within limits; left-over bits are looked at when it is decoded (SPEC.md §1.5). */
export const isBytesOf = (least: number, most: number): Check => {
  const form = /^[A-Za-z0-9_-]*$/;
  const isLength = isText(Math.ceil((least * 4) / 3), Math.ceil((most * 4) / 3));
  return (value) => isLength(value) && form.test(value as string);
};

/** The fields that schemas share (SPEC.md §1.6). */
export const isFormat = isOneOf(1);
export const isId = isBytes(16);
export const isHash = isBytes(32);
export const isCount = isInteger(0, Number.MAX_SAFE_INTEGER);
export const isTimeMs = isInteger(0, 8_640_000_000_000_000);
export const isModel: Check = (value) => typeof value === 'string' && value.length <= 128 && modelForm.test(value);

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value as an object of this schema, or `malformed`. */
export function readObject(value: Json, schema: Check): JsonObject {
  return schema(value) && isJsonObject(value) ? value : refuse('malformed');
}
