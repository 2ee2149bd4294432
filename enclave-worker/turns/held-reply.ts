import {
  closeReasons,
  type CloseReason,
  encodeLiveRecord,
  liveRecordOverhead,
} from '../../crypto/protocol/messages/live-record.ts';
import { headerBody } from '../../crypto/protocol/messages/transcript-header.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';

/** A short reply is one slab. */
const recordsPerSlab = 32;

/** Hears of new frames. */
export interface ReplyReader {
  /** There is something new behind the reader's cursor. Called on a tick: it must not write. */
  notice(reply: HeldReply): void;
  /** The reply is no longer held. */
  evict(reply: HeldReply): void;
}

/** The frames of one transcript, as the live records that carry them: sealed once, sent as the same bytes to everyone. */
export class HeldReply {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  readonly requestHash: Bytes;
  readonly headerRecord: Bytes;
  readonly readers = new Set<ReplyReader>();
  readonly #recordLength: number;
  readonly #slabs: Bytes[] = [];
  #frames = 0;
  #finishedAtMs: number | null = null;

  constructor(input: {
    readonly turnId: Bytes;
    readonly transcriptId: Bytes;
    readonly requestHash: Bytes;
    /** The transcript's clear header (99). */
    readonly header: Bytes;
    readonly frameLength: number;
  }) {
    const { turnId, transcriptId, requestHash, header, frameLength } = input;
    this.turnId = turnId;
    this.transcriptId = transcriptId;
    this.requestHash = requestHash;
    this.headerRecord = encodeLiveRecord({
      kind: 'header',
      turnId,
      transcriptId,
      body: headerBody(header, requestHash),
    });
    this.#recordLength = liveRecordOverhead + frameLength;
  }

  get frames(): number {
    return this.#frames;
  }

  /** When FINAL was added. */
  get finishedAtMs(): number | null {
    return this.#finishedAtMs;
  }

  /** Memory that the frames take. */
  get heldBytes(): number {
    return this.#slabs.length * this.slabLength;
  }

  get slabLength(): number {
    return recordsPerSlab * this.#recordLength;
  }

  /** @returns true when this took another slab. */
  append(frame: Uint8Array): boolean {
    const index = this.#frames % recordsPerSlab;
    if (index === 0) this.#slabs.push(new Uint8Array(this.slabLength));
    const slab = this.#slabs[this.#slabs.length - 1];
    const { turnId, transcriptId } = this;
    slab?.set(
      encodeLiveRecord({ kind: 'frame', turnId, transcriptId, number: this.#frames, body: frame as Bytes }),
      index * this.#recordLength,
    );
    this.#frames += 1;
    for (const reader of this.readers) reader.notice(this);
    return index === 0;
  }

  /** Nothing follows the frames that are here. */
  finish(nowMs: number): void {
    this.#finishedAtMs = nowMs;
    for (const reader of this.readers) reader.notice(this);
  }

  /** Records from a number on, as many as lie together in memory; none when there is none yet. */
  recordsFrom(number: number): Bytes | null {
    const slab = this.#slabs[Math.floor(number / recordsPerSlab)];
    if (slab === undefined || number >= this.#frames) return null;
    const first = number % recordsPerSlab;
    const end = Math.min(recordsPerSlab, this.#frames - (number - first));
    return slab.subarray(first * this.#recordLength, end * this.#recordLength);
  }

  /** How many records `bytes` of `recordsFrom` are. */
  countOf(bytes: Uint8Array): number {
    return bytes.length / this.#recordLength;
  }

  closedRecord(reason: CloseReason): Bytes {
    return closedRecord(this.turnId, this.transcriptId, this.#frames, reason);
  }
}

export function closedRecord(turnId: Bytes, transcriptId: Bytes, number: number, reason: CloseReason): Bytes {
  return encodeLiveRecord({
    kind: 'closed',
    turnId,
    transcriptId,
    number,
    body: Uint8Array.of(closeReasons[reason]),
  });
}
