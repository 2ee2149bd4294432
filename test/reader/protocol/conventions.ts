import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { refuse } from './refusal.ts';

export type Bytes = Uint8Array;

const empty: Bytes = new Uint8Array(0);
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
export const zeros = (length: number): Bytes => new Uint8Array(length);
/** A copy that is no Node `Buffer`, so that `slice` copies too. */
export const join = (...parts: readonly Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
export const sha256 = (...parts: readonly Bytes[]): Bytes =>
  new Uint8Array(
    createHash('sha256')
      .update(join(...parts))
      .digest(),
  );
export const hmacSha256 = (key: Bytes, message: Bytes): Bytes =>
  new Uint8Array(createHmac('sha256', key).update(message).digest());
export const hkdf = (key: Bytes, info: Bytes, length: number, salt: Bytes = empty): Bytes =>
  new Uint8Array(hkdfSync('sha256', key, salt, info, length));
/** In constant time (SPEC.md §2.1). */
export const isEqual = (a: Bytes, b: Bytes): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Bytes that must be UTF-8; a byte order mark is a character like another. */
export function readUtf8(bytes: Bytes): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return refuse('malformed');
  }
}

export const u8 = (value: number): Bytes => integer(value, 1);
export const u32 = (value: number): Bytes => integer(value, 4);
export const u64 = (value: number): Bytes => integer(value, 8);

/** Unsigned, big-endian, at most 2^53 − 1 (SPEC.md §1.1). */
function integer(value: number, length: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** length) refuse('invalid-argument');
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'));
}

/** The length-prefixed list of SPEC.md §1.3. */
export const lp = (...parts: readonly (Bytes | string)[]): Bytes =>
  join(
    ...parts.map((part) => (typeof part === 'string' ? utf8(part) : part)).flatMap((part) => [u32(part.length), part]),
  );

/** Takes fields of fixed length from the front; what is missing is `malformed`. */
export class Fields {
  #rest: Bytes;

  constructor(bytes: Bytes) {
    this.#rest = new Uint8Array(bytes);
  }

  get left(): number {
    return this.#rest.length;
  }

  bytes(length: number): Bytes {
    if (length > this.#rest.length) refuse('malformed');
    const field = this.#rest.slice(0, length);
    this.#rest = this.#rest.subarray(length);
    return field;
  }

  integer(length: 1 | 2 | 4 | 8): number {
    const value = BigInt(`0x${Buffer.from(this.bytes(length)).toString('hex')}`);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? refuse('malformed') : Number(value);
  }

  rest(): Bytes {
    return this.bytes(this.left);
  }

  end(): void {
    if (this.left > 0) refuse('malformed');
  }
}

/** The sealed header of SPEC.md §1.2. */
export const header = (epoch: number, version = 1): Bytes => join(Uint8Array.of(version, 1), u32(epoch));

/** Checks the header in the order of SPEC.md §1.2 and gives what stands behind it. */
export function readHeader(body: Bytes, newest = 1): { header: Bytes; version: number; epoch: number; rest: Bytes } {
  if (body.length < 6) refuse('malformed');
  const fields = new Fields(body);
  const version = readVersionAndSuite(fields, newest);
  const epoch = fields.integer(4);
  if (epoch === 0) refuse('malformed');
  return { header: body.slice(0, 6), version, epoch, rest: fields.rest() };
}

export function readVersionAndSuite(fields: Fields, newest = 1): number {
  const version = fields.integer(1);
  if (version < 1 || version > newest) refuse('unsupported-version');
  if (fields.integer(1) !== 1) refuse('unsupported-suite');
  return version;
}

export const encodeBase64url = (bytes: Bytes): string => Buffer.from(bytes).toString('base64url');

/** One spelling for the same bytes (SPEC.md §1.5): what does not encode back to itself is refused. */
export function decodeBase64url(text: string): Bytes {
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
  return encodeBase64url(bytes) === text ? bytes : refuse('malformed');
}
