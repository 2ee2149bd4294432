import { maximumTitleLength } from '../protocol/contents/item-contents.ts';
import { type ReplyNote, replyNote, type ReplySummary, replySummary } from '../protocol/contents/reply-note.ts';
import { type ReplyEnd, replyEnd } from '../protocol/contents/request-content.ts';
import { type Bytes, decodeUtf8, encodeUtf8, readUint32 } from '../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';

/** Kinds of record inside the frames of a reply (SPEC.md §8.3). 0 is none; from 128 on a reader skips what it does not know. */
export const recordKinds = { text: 1, reasoning: 2, end: 3, title: 4, note: 128, summary: 129 } as const;
const firstSkippable = 128;

/** `kind (1) || length (4)`. */
export const recordPrefixLength = 5;
/** The most bytes of one record. Text goes on in the next. */
export const maximumRecordLength = 65_536;
const maximumEndLength = 1024;
const maximumTitleBytes = 4 * maximumTitleLength;
/** Longer ones are of a later version, and skipped. */
const maximumJsonLengths: Readonly<Record<number, number>> = {
  [recordKinds.note]: 1024,
  [recordKinds.summary]: 32_768,
};

/** A reader gets these out of the frames. A piece of text is what came so far, not a whole record. */
export type ReplyPiece =
  | { readonly kind: 'text' | 'reasoning' | 'title'; readonly text: string }
  | { readonly kind: 'note'; readonly note: ReplyNote }
  | { readonly kind: 'summary'; readonly summary: ReplySummary }
  | { readonly kind: 'end'; readonly end: ReplyEnd };

function encodeRecord(kind: number, bytes: Uint8Array): Bytes {
  if (bytes.length === 0 || bytes.length > maximumRecordLength) throw new CryptoError('invalid-argument');
  const record = new Uint8Array(recordPrefixLength + bytes.length);
  record[0] = kind;
  new DataView(record.buffer).setUint32(1, bytes.length);
  record.set(bytes, recordPrefixLength);
  return record;
}

/**
 * @param bytes - 1 to 65,536 bytes of UTF-8; a character may go on in the next record of the kind.
 * @returns `kind (1) || length (4) || bytes`.
 */
export function encodeTextRecord(kind: 'text' | 'reasoning', bytes: Uint8Array): Bytes {
  return encodeRecord(recordKinds[kind], bytes);
}

/** A proposed title for the conversation, whole in one record, before END. */
export function encodeTitleRecord(title: string): Bytes {
  const bytes = encodeUtf8(title);
  if (bytes.length > maximumTitleBytes) throw new CryptoError('too-long');
  return encodeRecord(recordKinds.title, bytes);
}

/** A word about the reply that is no part of it; readers that do not know it skip it. */
export function encodeNoteRecord(note: ReplyNote): Bytes {
  return encodeRecord(recordKinds.note, encodeCanonicalJson(note));
}

/** A summary of the conversation so far, before END, where the request asked for one. @throws {CryptoError} `too-long`. */
export function encodeSummaryRecord(summary: ReplySummary): Bytes {
  const bytes = encodeCanonicalJson(summary);
  if (bytes.length > (maximumJsonLengths[recordKinds.summary] ?? 0)) throw new CryptoError('too-long');
  return encodeRecord(recordKinds.summary, bytes);
}

/** The last record of every reply: nothing but dummies follows it. */
export function encodeEndRecord(end: ReplyEnd): Bytes {
  return encodeRecord(recordKinds.end, encodeCanonicalJson(end));
}

/**
 * Reads records out of the contents of frames, in order and whatever the cuts between them (SPEC.md §8.3).
 * After a throw the reader is of no more use.
 */
export class RecordReader {
  readonly #decoders = {
    text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
    reasoning: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  };
  /** The prefix, or a record that is only read when it is whole. */
  #held: number[] = [];
  #kind: number | null = null;
  #remaining = 0;
  #end: ReplyEnd | null = null;

  /** The END record, once it was read. */
  get end(): ReplyEnd | null {
    return this.#end;
  }

  /**
   * @param content - what one frame holds behind its length.
   * @throws {CryptoError} `malformed`.
   */
  push(content: Uint8Array): ReplyPiece[] {
    const pieces: ReplyPiece[] = [];
    let offset = 0;
    while (offset < content.length) {
      // A second END, or text that a stopped reader would never show.
      if (this.#end !== null) throw new CryptoError('malformed');
      if (this.#kind === null) {
        this.#held.push(content[offset] ?? 0);
        offset += 1;
        if (this.#held.length === recordPrefixLength) this.#begin();
        continue;
      }
      const part = content.subarray(offset, offset + this.#remaining);
      offset += part.length;
      this.#remaining -= part.length;
      this.#read(part, pieces);
      if (this.#remaining === 0) this.#kind = null;
    }
    return pieces;
  }

  #begin(): void {
    const prefix = Uint8Array.from(this.#held);
    this.#held = [];
    const kind = prefix[0] ?? 0;
    const length = readUint32(prefix, 1);
    const isKnown = kind >= recordKinds.text && kind <= recordKinds.title;
    const maximum =
      kind === recordKinds.end
        ? maximumEndLength
        : kind === recordKinds.title
          ? maximumTitleBytes
          : maximumRecordLength;
    if ((!isKnown && kind < firstSkippable) || length === 0 || length > maximum) throw new CryptoError('malformed');
    this.#kind = kind;
    this.#remaining = length;
  }

  #read(part: Uint8Array, pieces: ReplyPiece[]): void {
    switch (this.#kind) {
      case recordKinds.text:
        return this.#readText('text', part, pieces);
      case recordKinds.reasoning:
        return this.#readText('reasoning', part, pieces);
      case recordKinds.note:
      case recordKinds.summary: {
        const longest = maximumJsonLengths[this.#kind] ?? 0;
        if (this.#held.length + part.length + this.#remaining <= longest) this.#hold(part, pieces);
        return;
      }
      case recordKinds.end:
      case recordKinds.title:
        this.#hold(part, pieces);
        return;
      default:
      // A kind of a later version that may be skipped.
    }
  }

  #hold(part: Uint8Array, pieces: ReplyPiece[]): void {
    for (const byte of part) this.#held.push(byte);
    if (this.#remaining > 0) return;
    const bytes = Uint8Array.from(this.#held);
    this.#held = [];
    if (this.#kind === recordKinds.note) pieces.push(...skipUnknown(() => readNote(bytes)));
    else if (this.#kind === recordKinds.summary) pieces.push(...skipUnknown(() => readSummary(bytes)));
    else this.#readWhole(bytes, pieces);
  }

  #readText(kind: 'text' | 'reasoning', part: Uint8Array, pieces: ReplyPiece[]): void {
    const text = decodeStream(this.#decoders[kind], part, true);
    if (text !== '') pieces.push({ kind, text });
  }

  #readWhole(bytes: Uint8Array, pieces: ReplyPiece[]): void {
    if (this.#kind === recordKinds.title) {
      const text = decodeUtf8(bytes);
      if (text.length > maximumTitleLength) throw new CryptoError('malformed');
      pieces.push({ kind: 'title', text });
      return;
    }
    // A text that stops inside a character was not written by an enclave that follows SPEC.md.
    for (const decoder of Object.values(this.#decoders)) decodeStream(decoder, new Uint8Array(0), false);
    this.#end = decodeCanonicalJson(bytes, replyEnd, maximumEndLength);
    pieces.push({ kind: 'end', end: this.#end });
  }
}

function readNote(bytes: Uint8Array): ReplyPiece {
  return { kind: 'note', note: decodeCanonicalJson(bytes, replyNote, bytes.length) };
}

function readSummary(bytes: Uint8Array): ReplyPiece {
  return { kind: 'summary', summary: decodeCanonicalJson(bytes, replySummary, bytes.length) };
}

/** A record above 127 that this version does not understand says nothing. */
function skipUnknown(read: () => ReplyPiece): ReplyPiece[] {
  try {
    return [read()];
  } catch (error) {
    if (error instanceof CryptoError) return [];
    throw error;
  }
}

function decodeStream(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new CryptoError('malformed');
  }
}
