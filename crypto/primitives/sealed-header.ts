import { type Bytes, concat, readUint32, uint32 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';

/** `version (1) || suite (1) || epoch (4)` before everything that an account key seals (SPEC.md §1.2). */
export const sealedHeaderLength = 6;
const version = 1;
const suite = 1;

/** @param epoch - 1 to 2^32 - 1. */
export function encodeSealedHeader(epoch: number): Bytes {
  if (epoch < 1) throw new CryptoError('invalid-argument');
  return concat(Uint8Array.of(version, suite), uint32(epoch));
}

/** Splits header and rest. @throws {CryptoError} `malformed`, `unsupported-version`, `unsupported-suite`. */
export function decodeSealedHeader(body: Uint8Array): { header: Uint8Array; epoch: number; sealed: Uint8Array } {
  if (body.length < sealedHeaderLength) throw new CryptoError('malformed');
  if (body[0] !== version) throw new CryptoError('unsupported-version');
  if (body[1] !== suite) throw new CryptoError('unsupported-suite');
  const epoch = readUint32(body, 2);
  if (epoch === 0) throw new CryptoError('malformed');
  return { header: body.subarray(0, sealedHeaderLength), epoch, sealed: body.subarray(sealedHeaderLength) };
}
