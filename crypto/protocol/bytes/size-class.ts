import { type Bytes, readUint32, uint32 } from './bytes.ts';
import { CryptoError } from './errors.ts';

const kibibyte = 1024;
/** Up to 1 MiB only these lengths exist; above, Padmé (SPEC.md §2.3). */
const classes = [1, 4, 16, 64, 256, 1024].map((size) => size * kibibyte);

/** Longest padded plaintext: 16 MiB. */
export const maximumPaddedLength = 16 * kibibyte * kibibyte;
/** Longest content that fits behind its length field. */
export const maximumContentLength = maximumPaddedLength - 4;

/**
 * The length that stands for all lengths up to it.
 *
 * @param length - 0 to 16 MiB.
 * @throws {CryptoError} `too-long` above.
 */
export function sizeClassOf(length: number): number {
  if (length > maximumPaddedLength) throw new CryptoError('too-long');
  for (const size of classes) if (length <= size) return size;
  // Padmé (PURBs, Nikitin et al. 2019): keeps as many leading bits as the exponent itself has.
  const exponent = 31 - Math.clz32(length);
  const exponentBits = 32 - Math.clz32(exponent);
  const mask = 2 ** (exponent - exponentBits) - 1;
  return (length + mask) & ~mask;
}

/**
 * Pads to a size class (SPEC.md §2.3).
 *
 * @param content - 0 to 16 MiB - 4.
 * @returns `length (4) || content || zeros`, as long as the class of `4 + length`.
 * @throws {CryptoError} `too-long`.
 */
export function padToSizeClass(content: Uint8Array): Bytes {
  const padded = new Uint8Array(sizeClassOf(4 + content.length));
  padded.set(uint32(content.length));
  padded.set(content, 4);
  return padded;
}

/** @throws {CryptoError} `malformed` unless `padToSizeClass` would have written exactly these bytes. */
export function unpadSizeClass(padded: Uint8Array): Bytes {
  const length = readUint32(padded, 0);
  if (length > maximumContentLength || padded.length !== sizeClassOf(4 + length)) throw new CryptoError('malformed');
  let rest = 0;
  for (let i = 4 + length; i < padded.length; i++) rest |= padded[i] ?? 0;
  if (rest !== 0) throw new CryptoError('malformed');
  return padded.slice(4, 4 + length) as Bytes;
}
