import { type Bytes, fromBase64Url, toBase64Url } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';

/** RFC 4648 §4 with padding, as signed notes have it. */
export function toBase64(bytes: Uint8Array): string {
  const digits = toBase64Url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return digits + '='.repeat((4 - (digits.length % 4)) % 4);
}

/** @throws {CryptoError} `malformed` for any text that `toBase64` would not have written. */
export function fromBase64(text: string): Bytes {
  const [, digits] = /^([A-Za-z0-9+/]*)={0,2}$/.exec(text) ?? [];
  if (digits === undefined) throw new CryptoError('malformed');
  const bytes = fromBase64Url(digits.replaceAll('+', '-').replaceAll('/', '_'));
  // Padding that is missing or not needed would be a second spelling.
  if (toBase64(bytes) !== text) throw new CryptoError('malformed');
  return bytes;
}
