import { sha256 } from '@noble/hashes/sha2.js';
import type { ReplyEnd } from '../protocol/contents/request-content.ts';
import { type FrameClass } from '../protocol/messages/request-header.ts';
import { decodeTranscriptHeader } from '../protocol/messages/transcript-header.ts';
import { openChaCha20Poly1305 } from '../primitives/aead.ts';
import { type Bytes, equalBytes, readUint32 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import type { Secret } from '../protocol/bytes/secret.ts';
import {
  deriveReplyKey,
  finalContentLength,
  frameCapacity,
  frameLengthField,
  type ReplyContext,
  sealedFrameLength,
  writeFrameNonce,
} from './reply-frame.ts';
import { RecordReader, type ReplyPiece } from './reply-record.ts';

const noAssociatedData = new Uint8Array(0);

export type OpenedFrame = {
  readonly pieces: readonly ReplyPiece[];
  readonly isFinal: boolean;
};

/**
 * Opens one transcript, frame by frame and strictly in order (SPEC.md §8.2).
 *
 * A frame that does not open changes nothing: the real one may still come. A record that the enclave sealed wrongly ends the
 * reading for good.
 */
export class ReplyOpener {
  readonly #replyKey: Secret<'ReplyKey'>;
  readonly #frameClass: FrameClass;
  readonly #hash = sha256.create();
  readonly #reader = new RecordReader();
  readonly #nonce: Bytes = new Uint8Array(12);
  #nextNumber = 0;
  #isFinal = false;
  #isBroken = false;

  /**
   * @param input.header - The transcript's clear header (99).
   * @throws {CryptoError} `open-failed` when header, turn key, turn and request do not belong together;
   * `malformed`, `unsupported-version`, `unsupported-suite`.
   */
  constructor(input: Omit<ReplyContext, 'frameClass' | 'keyId'> & { readonly header: Uint8Array }) {
    const { turnKey, turnId, requestHash } = input;
    const { frameClass, keyId, replySalt, commitment } = decodeTranscriptHeader(input.header);
    const derived = deriveReplyKey({ turnKey, turnId, requestHash, frameClass, keyId }, replySalt);
    if (!equalBytes(derived.commitment, commitment)) throw new CryptoError('open-failed');
    this.#replyKey = derived.replyKey;
    this.#frameClass = frameClass;
    this.#hash.update(input.header);
  }

  /** The number that `open` takes next. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** The END record: with it the reply is finished, without it "cut off". */
  get end(): ReplyEnd | null {
    return this.#reader.end;
  }

  /** FINAL came, and with it proof that nothing is missing. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** SHA-256 over the header and all frames opened so far. */
  transcriptHash(): Bytes {
    return this.#hash.clone().digest() as Bytes;
  }

  /**
   * @param number - must be `nextNumber`.
   * @throws {CryptoError} `out-of-order` for a gap or a double, `open-failed` for bytes that are not this frame,
   * `stream-ended` after FINAL or after `malformed`, which says that the enclave itself broke the format.
   */
  open(number: number, frame: Uint8Array): OpenedFrame {
    if (this.#isFinal || this.#isBroken) throw new CryptoError('stream-ended');
    if (number !== this.#nextNumber) throw new CryptoError('out-of-order');
    if (frame.length !== sealedFrameLength(this.#frameClass)) throw new CryptoError('open-failed');
    const ordinary = this.#tryOpen(frame, false);
    const plaintext = ordinary ?? this.#tryOpen(frame, true);
    if (plaintext === null) throw new CryptoError('open-failed');
    try {
      const content = contentOf(plaintext, frameCapacity(this.#frameClass));
      const isFinal = ordinary === null;
      if (isFinal) this.#checkFinal(content);
      const pieces = isFinal ? [] : this.#reader.push(content);
      this.#hash.update(frame);
      this.#nextNumber += 1;
      this.#isFinal = isFinal;
      if (isFinal) this.#replyKey.wipe();
      return { pieces, isFinal };
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /** Wipes the key; nothing can be opened any more. */
  discard(): void {
    this.#isBroken = true;
    this.#replyKey.wipe();
  }

  #tryOpen(frame: Uint8Array, isFinal: boolean): Bytes | null {
    writeFrameNonce(this.#nonce, this.#nextNumber, isFinal);
    try {
      return openChaCha20Poly1305({
        key: this.#replyKey.expose(),
        nonce: this.#nonce,
        ciphertext: frame,
        associatedData: noAssociatedData,
      });
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'open-failed') return null;
      throw error;
    }
  }

  /** FINAL before END, of another count, or over other frames than these. */
  #checkFinal(content: Uint8Array): void {
    const isWhole =
      this.#reader.end !== null &&
      content.length === finalContentLength &&
      readUint32(content, 0) === this.#nextNumber &&
      equalBytes(content.subarray(4), this.transcriptHash());
    if (!isWhole) throw new CryptoError('malformed');
  }
}

function contentOf(plaintext: Uint8Array, capacity: number): Uint8Array {
  const length = ((plaintext[0] ?? 0) << 8) | (plaintext[1] ?? 0);
  if (length > capacity) throw new CryptoError('malformed');
  let rest = 0;
  for (let i = frameLengthField + length; i < plaintext.length; i++) rest |= plaintext[i] ?? 0;
  if (rest !== 0) throw new CryptoError('malformed');
  return plaintext.subarray(frameLengthField, frameLengthField + length);
}
