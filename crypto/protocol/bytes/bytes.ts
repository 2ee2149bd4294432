import { CryptoError } from './errors.ts';

/** Bytes that own their memory: what WebCrypto, IndexedDB and libsodium all accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Lone surrogates become U+FFFD, as in every encoder of the platform; no byte order mark is written. */
export function encodeUtf8(text: string): Bytes {
  return new Uint8Array(encoder.encode(text));
}

/** @throws {CryptoError} `malformed` when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    throw new CryptoError('malformed');
  }
}

/** A copy of all parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Joins parts so that no two different lists give the same bytes (SPEC.md §1.3).
 *
 * @returns for each part `length (4, big-endian) || part`.
 */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Bytes {
  return concat(...parts.flatMap((part) => [uint32(part.length), part]));
}

/** @param value - 0 to 2^32 - 1. */
export function uint32(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new CryptoError('invalid-argument');
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** @param value - 0 to 2^53 - 1. */
export function uint64(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new CryptoError('invalid-argument');
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Reads four bytes, the most significant first. @throws {CryptoError} `malformed` past the end. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  if (offset + 4 > bytes.length) throw new CryptoError('malformed');
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset);
}

/** @throws {CryptoError} `malformed` past the end or above 2^53 - 1. */
export function readUint64(bytes: Uint8Array, offset: number): number {
  if (offset + 8 > bytes.length) throw new CryptoError('malformed');
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CryptoError('malformed');
  return Number(value);
}

/** Compares without leaving early; the lengths themselves are not secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** Orders byte strings as PostgreSQL and SQLite order them. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** From the platform's generator (`random` of SPEC.md §1), fit for keys and nonces, of any length. */
export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length);
  // getRandomValues gives 65,536 bytes at most.
  for (let offset = 0; offset < length; offset += 65_536) {
    crypto.getRandomValues(bytes.subarray(offset, Math.min(offset + 65_536, length)));
  }
  return bytes;
}

const hexDigits = '0123456789abcdef';

/** Lower case, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15);
  return text;
}

/** @throws {CryptoError} `malformed` unless lower-case hex of even length. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new CryptoError('malformed');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const base64UrlDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const base64UrlCodes = Uint8Array.from(base64UrlDigits, (digit) => digit.charCodeAt(0));
const asciiDecoder = new TextDecoder();
const base64UrlValues = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) base64UrlValues[base64UrlDigits.charCodeAt(i)] = i;

/** RFC 4648 §5 without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  // ASCII codes come first: a string that grows by single characters takes eighty times as long.
  const codes = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const group = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    // A code behind the end of `codes` is not written.
    codes[to] = base64UrlCodes[group >> 18] ?? 0;
    codes[to + 1] = base64UrlCodes[(group >> 12) & 63] ?? 0;
    codes[to + 2] = base64UrlCodes[(group >> 6) & 63] ?? 0;
    codes[to + 3] = base64UrlCodes[group & 63] ?? 0;
  }
  return asciiDecoder.decode(codes);
}

/** @throws {CryptoError} `malformed` for any text that `toBase64Url` would not have written. */
export function fromBase64Url(text: string): Bytes {
  const remainder = text.length % 4;
  if (remainder === 1) throw new CryptoError('malformed');
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let bitCount = 0;
  let offset = 0;
  for (let i = 0; i < text.length; i++) {
    const value = base64UrlValues[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw new CryptoError('malformed');
    bits = (bits << 6) | value;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[offset++] = (bits >> bitCount) & 255;
      bits &= (1 << bitCount) - 1;
    }
  }
  // Left-over bits that are not zero would be a second spelling of the same bytes.
  if (bits !== 0) throw new CryptoError('malformed');
  return bytes;
}
