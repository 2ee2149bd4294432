import type { CloseReason } from '../../../../crypto/protocol/messages/live-record.ts';
import {
  decodeTranscriptHeader,
  requestHashOf,
  transcriptHeaderOf,
  transcriptIdOf,
} from '../../../../crypto/protocol/messages/transcript-header.ts';
import { type Bytes, concat, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import type { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { ReplyOpener } from '../../../../crypto/turn/reply-opener.ts';
import type { ReplyPiece } from '../../../../crypto/turn/reply-record.ts';

/** Frames that may lie ready before one that is missing: ten minutes of the class that people read. */
const maximumAhead = 6_000;
/** All of them together, of whatever lengths a relay sends; what does not fit is fetched once the missing one is here. */
const maximumAheadBytes = 2 * 1024 * 1024;

/**
 * The standing of an enclave's key towards a question. `unknown`: the items that say to whom it was sealed are not all here.
 */
export type KeyStanding = 'own' | 'foreign' | 'unknown';

/**
 * One transcript of one turn. Frames may come late, twice, out of order or spoilt; they are opened strictly in order, and
 * what does not open leaves the place to the real one.
 */
export class TranscriptReader {
  readonly #turnKey: Secret<'TurnKey'>;
  readonly #turnId: Bytes;
  readonly #ahead = new Map<number, Bytes>();
  #aheadBytes = 0;
  readonly #kept: Bytes[] = [];
  readonly #standing: (keyId: Bytes) => KeyStanding;
  /** Frames are opened only once it is known that the question was sealed to its key. */
  #unproven: { readonly opener: ReplyOpener; readonly body: Bytes } | null = null;
  #opener: ReplyOpener | null = null;
  #state: 'waiting-for-header' | 'unproven' | 'foreign' | 'open' | 'refused' | 'broken' = 'waiting-for-header';
  #closed: CloseReason | null = null;
  #closedAt = 0;
  #spoilt = 0;

  /** @param standing - Tells if the question was sealed to this key of an enclave. */
  constructor(turnKey: Secret<'TurnKey'>, turnId: Bytes, standing: (keyId: Bytes) => KeyStanding) {
    this.#turnKey = turnKey;
    this.#turnId = turnId;
    this.#standing = standing;
  }

  /**
   * `refused`: not a reply to this question. `foreign`: of a key that it was not sealed to, as far as is known; `unproven`: that
   * is still to be found out. `broken`: the enclave itself broke the format.
   */
  get state() {
    return this.#state;
  }

  get opener(): ReplyOpener | null {
    return this.#opener;
  }

  get nextNumber(): number {
    return this.#opener?.nextNumber ?? 0;
  }

  /** Why nothing more comes, once everything up to there was read. */
  get closed(): CloseReason | null {
    return this.isMissingFrames ? null : this.#closed;
  }

  /** Later frames are here, or the end was announced, but not the next one. */
  get isMissingFrames(): boolean {
    if (this.#state === 'waiting-for-header') return this.#ahead.size > 0 || this.#closedAt > 0;
    if (this.#state !== 'open' || this.#opener?.isFinal === true) return false;
    return this.#ahead.size > 0 || this.#closedAt > this.nextNumber || this.#spoilt > 0;
  }

  /** The sealed bytes as the relay holds them, as far as they were opened: header, then frames. */
  get sealedBytes(): Bytes {
    return concat(...this.#kept);
  }

  /** @param body - the header (99) and the hash of the request that it answers (32). */
  takeHeader(body: Bytes): readonly ReplyPiece[] {
    // One that did not belong here leaves the place to the real one (M29).
    if (this.#state !== 'waiting-for-header' && this.#state !== 'refused') return [];
    const header = transcriptHeaderOf(body);
    const requestHash = requestHashOf(body);
    try {
      const opener = new ReplyOpener({ turnKey: this.#turnKey, turnId: this.#turnId, requestHash, header });
      this.#unproven = { opener, body };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      // Another turn's, another key's, or not an enclave's at all (M1, M31).
      this.#state = 'refused';
      this.#ahead.clear();
      this.#aheadBytes = 0;
      return [];
    }
    this.#state = 'unproven';
    return this.reconsider();
  }

  /** More may be known of whom the question was sealed to. @returns what became readable. */
  reconsider(): readonly ReplyPiece[] {
    const unproven = this.#unproven;
    if (unproven === null) return [];
    const { opener, body } = unproven;
    const standing = this.#standing(decodeTranscriptHeader(transcriptHeaderOf(body)).keyId);
    this.#state = standing === 'own' ? 'open' : standing === 'foreign' ? 'foreign' : 'unproven';
    if (standing !== 'own') return [];
    this.#unproven = null;
    this.#opener = opener;
    this.#kept.push(body);
    return this.#drain();
  }

  /** @returns what became readable. */
  takeFrame(number: number, frame: Bytes): readonly ReplyPiece[] {
    if (this.#state === 'refused' || this.#state === 'broken' || this.#opener?.isFinal === true) return [];
    if (number < this.nextNumber || number >= this.nextNumber + maximumAhead) return [];
    // Somebody goes on: what was said about an end no longer holds.
    if (this.#closedAt <= number) this.#closed = null;
    this.#keepAhead(number, frame);
    return this.#drain();
  }

  /** @param number - How many frames there are. */
  takeClosed(reason: CloseReason, number: number): void {
    this.#closed = reason;
    this.#closedAt = number;
  }

  discard(): void {
    this.#opener?.discard();
    this.#unproven?.opener.discard();
  }

  get id(): string {
    const header = this.#kept[0];
    return header === undefined ? '' : toHex(transcriptIdOf(header));
  }

  #keepAhead(number: number, frame: Bytes): void {
    const others = this.#aheadBytes - (this.#ahead.get(number)?.length ?? 0);
    // The one that is waited for always has room.
    if (number !== this.nextNumber && others + frame.length > maximumAheadBytes) return;
    this.#aheadBytes = others + frame.length;
    this.#ahead.set(number, frame);
  }

  #drain(): readonly ReplyPiece[] {
    const pieces: ReplyPiece[] = [];
    const opener = this.#opener;
    if (opener === null) return pieces;
    for (;;) {
      const number = opener.nextNumber;
      const frame = this.#ahead.get(number);
      if (frame === undefined || opener.isFinal) return pieces;
      this.#ahead.delete(number);
      this.#aheadBytes -= frame.length;
      try {
        pieces.push(...opener.open(number, frame).pieces);
        this.#kept.push(frame);
        this.#spoilt = 0;
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        if (error.code === 'open-failed') {
          // Rubbish in its place: the real one is asked for (M29).
          this.#spoilt += 1;
          return pieces;
        }
        this.#state = 'broken';
        return pieces;
      }
    }
  }
}
