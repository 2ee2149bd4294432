import * as v from 'valibot';

/** Characters of unpadded base64url for a number of bytes. */
function base64UrlLength(byteLength: number): number {
  return Math.ceil((byteLength * 4) / 3);
}

/** The characters that may stand last, by length modulo 3: those whose left-over bits are zero. */
const lastCharacters = ['', '[AQgw]', '[AEIMQUYcgkosw048]'];

/**
 * Unpadded base64url of `min` to `max` bytes. With one length, it has one spelling (SPEC.md §1.5), so that ids are compared as
 * texts; where lengths vary, whether it is canonical shows when it is decoded.
 */
export function bytesField(min: number, max: number = min) {
  const last = min === max ? (lastCharacters[min % 3] ?? '') : '';
  return v.pipe(
    v.string(),
    v.minLength(base64UrlLength(min)),
    v.maxLength(base64UrlLength(max)),
    v.regex(new RegExp(`^[A-Za-z0-9_-]*${last}$`)),
  );
}

/** 16 random bytes: item, turn, keyslot and session ids. */
export const idField = bytesField(16);
/** A SHA-256, a nonce or another 32 bytes. */
export const hashField = bytesField(32);
export const formatField = v.literal(1);

/** A whole number from 0 on. @param max - the largest, 2^53 - 1 where it is left out. */
export function countField(max: number = Number.MAX_SAFE_INTEGER) {
  return v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
}

/** Milliseconds since 1970, as the writer's clock has it. */
export const timeMsField = countField(8_640_000_000_000_000);
/** Days since 1970-01-01, so that the relay never learns more than a day; 0 means "kept until deleted". */
export const dayField = countField(10_000_000);
/** Text of OPAQUE messages (base64url of @serenity-kit/opaque). */
export function opaqueField(maxLength: number) {
  return v.pipe(v.string(), v.minLength(1), v.maxLength(maxLength), v.regex(/^[A-Za-z0-9_-]+$/));
}

/** A model's name: printable ASCII, since it stands in clear headers. */
export const modelField = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(128),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/),
);
