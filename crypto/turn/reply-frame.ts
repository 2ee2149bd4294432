import { type FrameClass, frameClasses, frameTagLength } from '../protocol/messages/request-header.ts';
import { type Bytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { deriveBytes } from '../primitives/hkdf.ts';
import { Secret } from '../protocol/bytes/secret.ts';
import type { TurnKey } from './turn-key.ts';

/** `length (2)` at the beginning of every frame's plaintext. */
export const frameLengthField = 2;
/** FINAL holds `count (4) || transcript hash (32)`. */
export const finalContentLength = 36;
/** Frame numbers are four bytes on a live record. */
export const maximumFrameNumber = 0xffff_ffff;

/** Bytes of records that one frame carries. */
export function frameCapacity(frameClass: FrameClass): number {
  return frameClasses[frameClass].plaintextLength - frameLengthField;
}

/** Bytes of one frame on the wire. */
export function sealedFrameLength(frameClass: FrameClass): number {
  return frameClasses[frameClass].plaintextLength + frameTagLength;
}

/** How far apart the rungs are from the last doubling on. */
const longestStep = 1024;

/**
 * How many frames a transcript has in all, FINAL included (SPEC.md §8.4): 32, doubling to 1024, then every 1024.
 * `bulk`, which is not paced, doubles from 2 to 64, then every 64.
 *
 * @param needed - Frames up to the one that completed END, and one for FINAL.
 */
export function transcriptRung(frameClass: FrameClass, needed: number): number {
  const isBulk = frameClasses[frameClass].tickMs === 0;
  const step = isBulk ? 64 : longestStep;
  let rung = isBulk ? 2 : 32;
  while (rung < needed && rung < step) rung *= 2;
  return rung >= needed ? rung : Math.ceil(needed / step) * step;
}

/** Dummies between the frame that completed END and FINAL. */
export function framesToSendAfterEnd(frameClass: FrameClass, sentFrames: number): number {
  return transcriptRung(frameClass, sentFrames + 1) - sentFrames - 1;
}

/** The keys of a reply are bound to this, besides the salt. */
export type ReplyContext = {
  readonly turnKey: TurnKey;
  readonly frameClass: FrameClass;
  /** 16 bytes. */
  readonly turnId: Uint8Array;
  /** 32 bytes: the key that the request was opened with. */
  readonly keyId: Uint8Array;
  /** 32 bytes: `hashRequest`. */
  readonly requestHash: Uint8Array;
};

/** Key and commitment of one transcript (SPEC.md §8.1). */
export function deriveReplyKey(
  context: ReplyContext,
  replySalt: Uint8Array,
): { readonly replyKey: Secret<'ReplyKey'>; readonly commitment: Bytes } {
  const { turnKey, frameClass, turnId, keyId, requestHash } = context;
  if (turnId.length !== 16 || keyId.length !== 32 || requestHash.length !== 32 || replySalt.length !== 32) {
    throw new CryptoError('invalid-argument');
  }
  const frameClassByte = Uint8Array.of(frameClasses[frameClass].byte);
  const derived = deriveBytes({
    key: turnKey.expose(),
    salt: replySalt,
    info: labelled('sotto/v1/reply', frameClassByte, turnId, keyId, requestHash),
    length: 64,
  });
  const replyKey = new Secret('ReplyKey', derived.slice(0, 32));
  const commitment = derived.slice(32);
  derived.fill(0);
  return { replyKey, commitment };
}

/** age's STREAM: `number (11, big-endian) || final flag (1)` (SPEC.md §8.2). */
export function writeFrameNonce(nonce: Uint8Array, number: number, isFinal: boolean): void {
  // Seven bytes stay zero: a number has four.
  new DataView(nonce.buffer, nonce.byteOffset).setUint32(7, number);
  nonce.set([isFinal ? 1 : 0], 11);
}
