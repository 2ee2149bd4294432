import { sha256 } from '@noble/hashes/sha2.js';
import { type FrameClass, frameClasses } from '../protocol/messages/request-header.ts';
import { encodeTranscriptHeader, transcriptIdOf } from '../protocol/messages/transcript-header.ts';
import { sealChaCha20Poly1305 } from '../primitives/aead.ts';
import { type Bytes, concat, randomBytes, uint32 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import type { Secret } from '../protocol/bytes/secret.ts';
import {
  deriveReplyKey,
  frameCapacity,
  frameLengthField,
  maximumFrameNumber,
  type ReplyContext,
  writeFrameNonce,
} from './reply-frame.ts';

const noAssociatedData = new Uint8Array(0);

/**
 * Seals the frames of one transcript in order (SPEC.md §8.2). Synchronous: nothing on a tick is awaited.
 *
 * Each sealer draws its own salt, so no two transcripts share a key, whatever the turn key. A number is sealed once;
 * whoever needs a frame again keeps its bytes.
 */
export class ReplySealer {
  /** The transcript's clear header (99). */
  readonly header: Bytes;
  /** First 16 bytes of the salt: the transcript's name on live records. */
  readonly transcriptId: Bytes;
  readonly frameClass: FrameClass;
  readonly #replyKey: Secret<'ReplyKey'>;
  readonly #hash = sha256.create();
  readonly #plaintext: Bytes;
  readonly #nonce: Bytes = new Uint8Array(12);
  #nextNumber = 0;
  #isFinal = false;

  /** @throws {CryptoError} `invalid-argument`. */
  constructor(context: ReplyContext) {
    const replySalt = randomBytes(32);
    const { replyKey, commitment } = deriveReplyKey(context, replySalt);
    this.#replyKey = replyKey;
    this.frameClass = context.frameClass;
    this.header = encodeTranscriptHeader({
      frameClass: context.frameClass,
      keyId: Uint8Array.from(context.keyId),
      replySalt,
      commitment,
    });
    this.transcriptId = new Uint8Array(transcriptIdOf(this.header));
    this.#hash.update(this.header);
    this.#plaintext = new Uint8Array(frameClasses[context.frameClass].plaintextLength);
  }

  /** Number of the next frame, so also how many were sealed. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /**
   * @param content - Bytes of records, up to `frameCapacity`; none makes a dummy.
   * @throws {CryptoError} `too-long`, `stream-ended` after FINAL, `not-ready`.
   */
  sealFrame(content: Uint8Array): Bytes {
    if (content.length > frameCapacity(this.frameClass)) throw new CryptoError('too-long');
    return this.#seal(content, false);
  }

  /** Seals FINAL, which says how many frames there were and what they were, and wipes the key. */
  sealFinal(): Bytes {
    if (this.#isFinal) throw new CryptoError('stream-ended');
    const frame = this.#seal(concat(uint32(this.#nextNumber), this.#hash.clone().digest()), true);
    this.discard();
    return frame;
  }

  /** Wipes the key; nothing can be sealed any more. For a transcript that is given up. */
  discard(): void {
    this.#isFinal = true;
    this.#replyKey.wipe();
    this.#plaintext.fill(0);
  }

  #seal(content: Uint8Array, isFinal: boolean): Bytes {
    if (this.#isFinal || this.#nextNumber > maximumFrameNumber) throw new CryptoError('stream-ended');
    const plaintext = this.#plaintext;
    plaintext[0] = content.length >> 8;
    plaintext[1] = content.length & 255;
    plaintext.set(content, frameLengthField);
    plaintext.fill(0, frameLengthField + content.length);
    writeFrameNonce(this.#nonce, this.#nextNumber, isFinal);
    const frame = sealChaCha20Poly1305({
      key: this.#replyKey.expose(),
      nonce: this.#nonce,
      plaintext,
      associatedData: noAssociatedData,
    });
    this.#nextNumber += 1;
    this.#hash.update(frame);
    return frame;
  }
}
