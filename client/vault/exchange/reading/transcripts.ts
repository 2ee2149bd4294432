import { closeReasonOf, type CloseReason, type LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { transcriptIdOf } from '../../../../crypto/protocol/messages/transcript-header.ts';
import { type Bytes, equalBytes, fromHex, toBase64Url, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { ReplyPiece as RecordPiece } from '../../../../crypto/turn/reply-record.ts';
import { addPieces, nothingShown, type ShownReply } from './shown-reply.ts';
import type { TranscriptReader } from './transcript-reader.ts';

/** The relay keeps as many of one turn. */
const maximumTranscripts = 16;

/** One transcript, and the words that came of it so far. */
export type ReadTranscript = { readonly reader: TranscriptReader; readonly shown: ShownReply };

/** The result of one record. `isNewChoice`: another transcript is the reply now. */
export type TakenRecord = {
  readonly isNewChoice: boolean;
  /** Growth of the transcript that is the reply; null where the record was of another one. */
  readonly grown: { readonly text: string; readonly reasoning: string; readonly replaced: boolean } | null;
  readonly hasPieces: boolean;
};

/**
 * The transcripts of one turn. The first that opens is the reply; should it stop before its end and another go further, that one
 * takes its place.
 */
export class Transcripts {
  readonly #newReader: () => TranscriptReader;
  readonly #byId = new Map<string, ReadTranscript>();
  #chosenId: string | null = null;

  constructor(newReader: () => TranscriptReader) {
    this.#newReader = newReader;
  }

  /** The one that is the reply. */
  get chosen(): ReadTranscript | null {
    return this.#chosenId === null ? null : (this.#byId.get(this.#chosenId) ?? null);
  }

  get readers(): readonly TranscriptReader[] {
    return [...this.#byId.values()].map(({ reader }) => reader);
  }

  get byId(): readonly (readonly [id: string, reader: TranscriptReader])[] {
    return [...this.#byId].map(([id, { reader }]) => [id, reader]);
  }

  /** Frames that are here, by transcript; to tell whether the relay has more. */
  framesOf(id: string): number | null {
    return this.#byId.get(id)?.reader.nextNumber ?? null;
  }

  /** The records to fetch: all after this number of this transcript, or of all transcripts. */
  get missing(): { readonly after: number; readonly transcriptId: string | null } | null {
    for (const [id, { reader }] of this.#byId) {
      if (!reader.isMissingFrames) continue;
      // Without its header nothing of it can be read, and headers come only from the beginning.
      return reader.opener === null
        ? { after: -1, transcriptId: null }
        : { after: reader.nextNumber - 1, transcriptId: toBase64Url(fromHex(id)) };
    }
    return null;
  }

  /** @returns null for a record that belongs to none, or finds no room. */
  take(record: LiveRecord): TakenRecord | null {
    const id = toHex(record.transcriptId);
    let taker = this.#byId.get(id);
    if (taker === undefined) {
      if (record.kind === 'closed') return null;
      if (this.#byId.size >= maximumTranscripts && !this.#dropUnopened()) return null;
      taker = { reader: this.#newReader(), shown: nothingShown() };
      this.#byId.set(id, taker);
    }
    const pieces = readRecord(taker.reader, record);
    const grown = addPieces(taker.shown, pieces);
    const isNewChoice = this.#choose();
    return { isNewChoice, grown: this.#chosenId === id ? grown : null, hasPieces: pieces.length > 0 };
  }

  /** More may be known of whom the question was sealed to. @returns whether that changed anything. */
  reconsider(): boolean {
    let isChanged = false;
    for (const { reader, shown } of this.#byId.values()) {
      const before = reader.state;
      addPieces(shown, reader.reconsider());
      isChanged ||= reader.state !== before;
    }
    if (isChanged) this.#choose();
    return isChanged;
  }

  discard(): void {
    for (const { reader } of this.#byId.values()) reader.discard();
  }

  /** The oldest of which nothing can be read makes room: made-up ones must not keep the reply out. */
  #dropUnopened(): boolean {
    for (const [id, { reader }] of this.#byId) {
      if (reader.state === 'refused' || reader.state === 'waiting-for-header') return this.#byId.delete(id);
    }
    return false;
  }

  /** @returns whether another transcript is the reply now. */
  #choose(): boolean {
    const current = this.chosen?.reader ?? null;
    if (current !== null && isGoingWell(current)) return false;
    for (const [id, { reader }] of this.#byId) {
      if (id === this.#chosenId || reader.opener === null || reader.state !== 'open') continue;
      if (current !== null && reader.opener.end === null && reader.nextNumber <= current.nextNumber) continue;
      const isFirst = this.#chosenId === null;
      this.#chosenId = id;
      // The first one's pieces are growth like any other.
      return !isFirst || reader.nextNumber > 0;
    }
    return false;
  }
}

/** It has its end, or may still come to it. */
function isGoingWell({ opener, closed, state }: TranscriptReader): boolean {
  return (opener !== null && opener.end !== null) || (closed === null && state === 'open');
}

function readRecord(reader: TranscriptReader, record: LiveRecord): readonly RecordPiece[] {
  switch (record.kind) {
    case 'header':
      // Under another's name a true one would stand before the reply for good.
      return equalBytes(transcriptIdOf(record.body), record.transcriptId) ? reader.takeHeader(record.body) : [];
    case 'frame':
      return reader.takeFrame(record.number, record.body);
    case 'closed':
      reader.takeClosed(reasonOf(record.body), record.number);
      return [];
    default:
      return [];
  }
}

/** An unknown reason is the worst one. */
function reasonOf(body: Bytes): CloseReason {
  return closeReasonOf(body[0]) ?? 'lost';
}
