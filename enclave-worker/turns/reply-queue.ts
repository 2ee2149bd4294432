import { encodeUtf8 } from '../../crypto/protocol/bytes/bytes.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { ReplyEnd } from '../../crypto/protocol/contents/request-content.ts';
import type { ReplyNote } from '../../crypto/protocol/contents/reply-note.ts';
import {
  encodeEndRecord,
  encodeNoteRecord,
  encodeTextRecord,
  recordPrefixLength,
} from '../../crypto/turn/reply-record.ts';

type TextKind = 'text' | 'reasoning';
/** A note is a whole record already. */
type Segment = { readonly kind: TextKind | 'note'; readonly bytes: Bytes; offset: number };

/** Thirteen seconds at the `chat` pace. Above it the engine is not read from. */
export const queueHighWater = 32 * 1024;

const nothing: Bytes = new Uint8Array(0);

/**
 * Holds what the engine said and the frames have not carried yet. Tokens go in as they come. As much comes out as one frame
 * holds, so that nothing of their lengths or times is left.
 */
export class ReplyQueue {
  #segments: Segment[] = [];
  #first = 0;
  #length = 0;
  /** A high surrogate at the end of a piece waits for its other half. */
  #carry: { readonly kind: TextKind; readonly half: string } | null = null;
  #end: Bytes | null = null;
  #endOffset = 0;
  #roomWaiter: (() => void) | null = null;

  /** END is in: nothing more is taken. */
  get hasEnd(): boolean {
    return this.#end !== null;
  }

  /** Everything, END included, was taken. */
  get isDrained(): boolean {
    return this.#end !== null && this.#endOffset === this.#end.length;
  }

  push(kind: TextKind, piece: string): void {
    if (this.hasEnd) return;
    let text = piece;
    if (this.#carry !== null) {
      const { kind: carriedKind, half } = this.#carry;
      this.#carry = null;
      if (carriedKind === kind) text = half + text;
      else this.#add(carriedKind, half);
    }
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd8_00 && last <= 0xdb_ff) {
      this.#carry = { kind, half: text.slice(-1) };
      text = text.slice(0, -1);
    }
    this.#add(kind, text);
  }

  /** A note stands where it was put: before it the text that came before. */
  note(note: ReplyNote): void {
    if (this.hasEnd) return;
    if (this.#carry !== null) this.#add(this.#carry.kind, this.#carry.half);
    this.#carry = null;
    const bytes = encodeNoteRecord(note);
    this.#segments.push({ kind: 'note', bytes, offset: 0 });
    this.#length += bytes.length;
  }

  /** Resolves when the engine may go on, and at once while there is room. */
  room(): Promise<void> | null {
    if (this.#length < queueHighWater || this.hasEnd) return null;
    return new Promise((resolve) => {
      this.#roomWaiter = resolve;
    });
  }

  /** Puts END behind the text, or in its place. */
  finish(end: ReplyEnd, options: { readonly dropText?: boolean } = {}): void {
    if (this.hasEnd) return;
    if (this.#carry !== null) this.#add(this.#carry.kind, this.#carry.half);
    this.#carry = null;
    if (options.dropText === true) this.#dropText();
    this.#end = encodeEndRecord(end);
    this.#wake();
  }

  /** The next records, whole or in part, in `capacity` bytes at most. */
  take(capacity: number): Bytes {
    if (this.#length === 0 && this.#end === null) return nothing;
    const content = new Uint8Array(capacity);
    let used = 0;
    while (this.#length > 0) {
      const record = this.#takeNote(capacity - used) ?? this.#takeText(capacity - used - recordPrefixLength);
      if (record === null) break;
      content.set(record, used);
      used += record.length;
    }
    if (this.#length === 0 && this.#end !== null) {
      const part = this.#end.subarray(this.#endOffset, this.#endOffset + capacity - used);
      content.set(part, used);
      used += part.length;
      this.#endOffset += part.length;
    }
    if (this.#length < queueHighWater) this.#wake();
    return content.subarray(0, used);
  }

  /** Takes as much of a note as fits: records span frames. */
  #takeNote(room: number): Bytes | null {
    const segment = this.#segments[this.#first];
    if (segment?.kind !== 'note' || room <= 0) return null;
    const part = segment.bytes.subarray(segment.offset, segment.offset + room);
    segment.offset += part.length;
    this.#length -= part.length;
    if (segment.offset === segment.bytes.length) this.#first += 1;
    this.#forgetTaken();
    return part;
  }

  /** One record of one kind, out of as many pieces as fit; characters stay whole. */
  #takeText(room: number): Bytes | null {
    const kind = this.#segments[this.#first]?.kind;
    if (kind === undefined || kind === 'note' || room <= 0) return null;
    const bytes = new Uint8Array(room);
    let used = 0;
    for (let segment = this.#segments[this.#first]; segment?.kind === kind; segment = this.#segments[this.#first]) {
      const rest = segment.bytes.length - segment.offset;
      const count = rest <= room - used ? rest : wholeCharacters(segment.bytes, segment.offset, room - used);
      bytes.set(segment.bytes.subarray(segment.offset, segment.offset + count), used);
      used += count;
      this.#length -= count;
      if (count < rest) {
        segment.offset += count;
        break;
      }
      this.#first += 1;
    }
    this.#forgetTaken();
    return used === 0 ? null : encodeTextRecord(kind, bytes.subarray(0, used));
  }

  #add(kind: TextKind, text: string): void {
    if (text === '') return;
    const bytes = encodeUtf8(text);
    this.#segments.push({ kind, bytes, offset: 0 });
    this.#length += bytes.length;
  }

  #forgetTaken(): void {
    if (this.#first <= 256 && this.#first < this.#segments.length) return;
    this.#segments = this.#segments.slice(this.#first);
    this.#first = 0;
  }

  /** A note that is out in part has to come to its end. */
  #dropText(): void {
    const begun = this.#segments[this.#first];
    this.#segments = begun?.kind === 'note' && begun.offset > 0 ? [begun] : [];
    this.#first = 0;
    this.#length = this.#segments.reduce((sum, { bytes, offset }) => sum + bytes.length - offset, 0);
  }

  #wake(): void {
    this.#roomWaiter?.();
    this.#roomWaiter = null;
  }
}

/** How many bytes from `offset` on end at the end of a character, up to `room`. */
function wholeCharacters(bytes: Uint8Array, offset: number, room: number): number {
  let count = room;
  while (count > 0 && ((bytes[offset + count] ?? 0) & 0xc0) === 0x80) count -= 1;
  return count;
}
