import { type Bytes, fromBase64Url } from './bytes.ts';
import { CryptoError } from './errors.ts';

/**
 * Base64 with padding (RFC 4648 §4), as XML signatures, PEM and NVIDIA's tool write it; line ends and blanks between are left out.
 *
 * @throws {CryptoError} `malformed`.
 */
export function fromStandardBase64(text: string): Bytes {
  const dense = text.replace(/[ \t\r\n]/g, '');
  if (dense.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(dense)) throw new CryptoError('malformed');
  return fromBase64Url(dense.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'));
}
