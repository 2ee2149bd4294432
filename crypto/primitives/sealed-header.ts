import { type Bytes, concat, readUint32, uint32 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';

/** `version (1) || suite (1) || epoch (4)` before everything that an account key seals (SPEC.md §1.2). */
export const sealedHeaderLength = 6;
const suite = 1;

/** @param epoch - 1 to 2^32 - 1. @param version - The version of the structure behind it. */
export function encodeSealedHeader(epoch: number, version: 1 | 2 = 1): Bytes {
  if (epoch < 1) throw new CryptoError('invalid-argument');
  return concat(Uint8Array.of(version, suite), uint32(epoch));
}

/**
 * Splits header and rest.
 *
 * @param newest - Version of the structure: most have one only.
 * @throws {CryptoError} `malformed`, `unsupported-version`, `unsupported-suite`.
 */
export function decodeSealedHeader(
  body: Uint8Array,
  newest: 1 | 2 = 1,
): { header: Uint8Array; version: number; epoch: number; sealed: Uint8Array } {
  if (body.length < sealedHeaderLength) throw new CryptoError('malformed');
  const version = body[0] ?? 0;
  if (version < 1 || version > newest) throw new CryptoError('unsupported-version');
  if (body[1] !== suite) throw new CryptoError('unsupported-suite');
  const epoch = readUint32(body, 2);
  if (epoch === 0) throw new CryptoError('malformed');
  return { header: body.subarray(0, sealedHeaderLength), version, epoch, sealed: body.subarray(sealedHeaderLength) };
}
