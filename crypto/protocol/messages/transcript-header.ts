import { type Bytes, concat } from '../bytes/bytes.ts';
import { CryptoError } from '../bytes/errors.ts';
import { type FrameClass, frameClasses, frameClassOf } from './request-header.ts';

export const transcriptHeaderLength = 99;

/** The clear beginning of a sealed reply (SPEC.md §8.1). */
export type TranscriptHeader = {
  readonly frameClass: FrameClass;
  readonly keyId: Bytes;
  readonly replySalt: Bytes;
  readonly commitment: Bytes;
};

/** @returns `version (1) || suite (1) || frame class (1) || key id (32) || reply salt (32) || commitment (32)`. */
export function encodeTranscriptHeader(header: TranscriptHeader): Bytes {
  for (const field of [header.keyId, header.replySalt, header.commitment]) {
    if (field.length !== 32) throw new CryptoError('invalid-argument');
  }
  return concat(
    Uint8Array.of(1, 1, frameClasses[header.frameClass].byte),
    header.keyId,
    header.replySalt,
    header.commitment,
  );
}

/** @throws {CryptoError} `unsupported-version`, `unsupported-suite`, `malformed`. */
export function decodeTranscriptHeader(bytes: Uint8Array): TranscriptHeader {
  if (bytes.length < 2) throw new CryptoError('malformed');
  if (bytes[0] !== 1) throw new CryptoError('unsupported-version');
  if (bytes[1] !== 1) throw new CryptoError('unsupported-suite');
  if (bytes.length !== transcriptHeaderLength) throw new CryptoError('malformed');
  return {
    frameClass: frameClassOf(bytes[2]),
    keyId: new Uint8Array(bytes.subarray(3, 35)),
    replySalt: new Uint8Array(bytes.subarray(35, 67)),
    commitment: new Uint8Array(bytes.subarray(67, 99)),
  };
}

/**
 * The body of a live record of kind `header`: behind the transcript's own header stands the hash of the request that it
 * answers.
 */
export const headerBodyLength = transcriptHeaderLength + 32;

export function headerBody(header: Uint8Array, requestHash: Uint8Array): Bytes {
  return concat(header, requestHash);
}

/** @param body - a header record's. */
export function transcriptHeaderOf(body: Bytes): Bytes {
  return body.subarray(0, transcriptHeaderLength);
}

/** @param body - a header record's. */
export function requestHashOf(body: Bytes): Bytes {
  return body.subarray(transcriptHeaderLength);
}

/** A transcript's name: the beginning of its salt. It lies alike in a header and in a header record's body. */
export function transcriptIdOf(header: Uint8Array): Uint8Array {
  return header.subarray(35, 51);
}
