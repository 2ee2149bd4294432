import * as v from 'valibot';
import { type Bytes, concat, decodeUtf8, encodeUtf8, readUint64, uint64 } from '../bytes/bytes.ts';
import { CryptoError } from '../bytes/errors.ts';
import { modelField } from './fields.ts';

/** The frame classes by their byte on the wire (SPEC.md §7.1). `bulk` is not paced. */
export const frameClasses = {
  chat: { byte: 1, plaintextLength: 256, tickMs: 100 },
  fast: { byte: 2, plaintextLength: 1024, tickMs: 100 },
  bulk: { byte: 3, plaintextLength: 16_384, tickMs: 0 },
} as const;
export type FrameClass = keyof typeof frameClasses;

/** Poly1305's tag behind each frame. */
export const frameTagLength = 16;

/**
 * The frame class that a byte of a request's or a transcript's header names (SPEC.md §7.1, §8.1).
 *
 * @param byte - undefined is what a header that is too short gives.
 * @throws {CryptoError} `malformed` for any other byte.
 */
export function frameClassOf(byte: number | undefined): FrameClass {
  for (const name of ['chat', 'fast', 'bulk'] as const) if (frameClasses[name].byte === byte) return name;
  throw new CryptoError('malformed');
}

/** The relay may see this of a request. */
export type RequestHeader = {
  readonly turnId: Bytes;
  readonly model: string;
  readonly frameClass: FrameClass;
  readonly expiresAtMs: number;
};

const fixedLength = 1 + 1 + 1 + 16 + 8 + 1;

/**
 * Encodes the clear header of a sealed request (SPEC.md §7.1).
 *
 * @returns `version (1) || suite (1) || frame class (1) || turn id (16) || expiry (8) || length (1) || model`.
 */
export function encodeRequestHeader(header: RequestHeader): Bytes {
  const model = encodeUtf8(header.model);
  if (header.turnId.length !== 16 || !v.is(modelField, header.model)) {
    throw new CryptoError('invalid-argument');
  }
  return concat(
    Uint8Array.of(1, 1, frameClasses[header.frameClass].byte),
    header.turnId,
    uint64(header.expiresAtMs),
    Uint8Array.of(model.length),
    model,
  );
}

/** @throws {CryptoError} `unsupported-version`, `unsupported-suite`, `malformed`. */
export function decodeRequestHeader(bytes: Uint8Array): RequestHeader {
  if (bytes.length < fixedLength) throw new CryptoError('malformed');
  if (bytes[0] !== 1) throw new CryptoError('unsupported-version');
  if (bytes[1] !== 1) throw new CryptoError('unsupported-suite');
  const modelLength = bytes[fixedLength - 1] ?? 0;
  if (modelLength === 0 || modelLength > 128 || bytes.length !== fixedLength + modelLength) {
    throw new CryptoError('malformed');
  }
  const model = decodeUtf8(bytes.subarray(fixedLength));
  if (!v.is(modelField, model)) throw new CryptoError('malformed');
  return {
    frameClass: frameClassOf(bytes[2]),
    turnId: new Uint8Array(bytes.subarray(3, 19)),
    expiresAtMs: readUint64(bytes, 19),
    model,
  };
}
