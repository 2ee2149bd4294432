import { closeReasons, type CloseReason, type LiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import { endedEarlyCode, type ReplyOutcome } from '../../../crypto/protocol/contents/item-contents.ts';
import {
  type Bytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  toBase64Url,
  toHex,
} from '../../../crypto/protocol/bytes/bytes.ts';
import { transcriptIdOf } from '../../../crypto/protocol/messages/transcript-header.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import type { ReplyPiece } from '../../../crypto/turn/reply-record.ts';
import { addPieces, nothingShown, type ShownReply } from './shown-reply.ts';
import { TranscriptReader } from './transcript-reader.ts';
import type { KeyStanding } from './key-standing.ts';
import type { ReplyState } from './reply-state.ts';

/** As many as the relay keeps of one turn. */
const maximumTranscripts = 16;
/** How often what is missing is asked for in vain before the answer counts as cut off. */
export const maximumFruitlessFetches = 4;

/** What one record changed. `replaced`: another transcript is shown now, so the whole text is to be shown again. */
export type ReplyGrowth = {
  readonly text: string;
  readonly reasoning: string;
  readonly replaced: boolean;
  readonly stateChanged: boolean;
};

/**
 * The answer to one question, out of whatever transcripts of it there are. The first that opens is shown; should it stop
 * before its end and another go further, that one takes its place.
 */
export class ReplyReader {
  readonly turnId: string;
  readonly #turnKey: Secret<'TurnKey'>;
  readonly #standing: (keyId: Bytes) => KeyStanding;
  readonly #transcripts = new Map<string, { readonly reader: TranscriptReader; readonly shown: ShownReply }>();
  #chosen: string | null = null;
  #fruitless = 0;
  #lastState: string;

  constructor(turnId: string, turnKey: string, standing: (keyId: Bytes) => KeyStanding) {
    this.turnId = turnId;
    this.#standing = standing;
    this.#turnKey = new Secret('TurnKey', fromBase64Url(turnKey));
    this.#lastState = JSON.stringify([this.state, 0]);
  }

  get text(): string {
    return this.#shown?.text ?? '';
  }

  get reasoning(): string {
    return this.#shown?.reasoning ?? '';
  }

  get title(): string | null {
    return this.#shown?.title ?? null;
  }

  /** How many of the oldest messages the model was not given. */
  get leftOut(): number {
    return this.#shown?.leftOut ?? 0;
  }

  /** The transcript that is shown. */
  get transcript(): TranscriptReader | null {
    return this.#chosen === null ? null : (this.#transcripts.get(this.#chosen)?.reader ?? null);
  }

  /**
   * There are transcripts, and none of them can be an answer to this question any more. One whose header has not come yet may be:
   * a page that was reloaded in the middle hears live frames before it has fetched the beginning.
   */
  get isUnreadable(): boolean {
    const readers = [...this.#transcripts.values()].map(({ reader }) => reader);
    const isAskedInVain = this.#fruitless >= maximumFruitlessFetches;
    const isLost = ({ state }: TranscriptReader) =>
      state === 'refused' || state === 'foreign' || (state === 'waiting-for-header' && isAskedInVain);
    return readers.length > 0 && readers.every(isLost);
  }

  /** Every transcript that belongs to this turn, for "What the relay sees". */
  get transcripts(): readonly { readonly id: string; readonly sealedBytes: Bytes }[] {
    return [...this.#transcripts].map(([id, { reader }]) => ({ id, sealedBytes: reader.sealedBytes }));
  }

  /** Frames that are here, by transcript; to tell whether the relay has more. */
  framesOf(transcriptId: string): number | null {
    return this.#transcripts.get(transcriptId)?.reader.nextNumber ?? null;
  }

  /** Nothing of it will change any more, unless another device's item says otherwise. */
  get isSettled(): boolean {
    const transcript = this.transcript;
    if (transcript === null) return false;
    const { opener, closed, state } = transcript;
    if (opener === null) return false;
    if (opener.isFinal || state === 'broken') return true;
    // The relay may find the enclave again, so a lost one is not given up. Its end may have been read by then, which counts
    // for nothing here: the relay sees what is made compact, and would learn whether the words had ended.
    return closed !== null && closed !== 'lost';
  }

  /**
   * No frame of it will come by itself. Told by what the relay sent, never by what was in it: the end of the words is not
   * the end of the frames.
   */
  get isOver(): boolean {
    const transcript = this.transcript;
    if (transcript === null) return false;
    const isStuck = this.#fruitless >= maximumFruitlessFetches && transcript.isMissingFrames;
    return (
      transcript.opener?.isFinal === true || transcript.closed !== null || transcript.state === 'broken' || isStuck
    );
  }

  /** What is to be fetched: everything after this number of this transcript, or of all of them. */
  get missing(): { readonly after: number; readonly transcriptId: string | null } | null {
    if (this.#fruitless >= maximumFruitlessFetches) return null;
    for (const [id, { reader }] of this.#transcripts) {
      if (!reader.isMissingFrames) continue;
      // Without its header nothing of it can be read, and headers come only from the beginning.
      return reader.opener === null
        ? { after: -1, transcriptId: null }
        : { after: reader.nextNumber - 1, transcriptId: toBase64Url(fromHex(id)) };
    }
    return null;
  }

  /** @param isFruitful - Whether the fetch brought something that could be read. */
  noteFetch(isFruitful: boolean): ReplyGrowth | null {
    this.#fruitless = isFruitful ? 0 : this.#fruitless + 1;
    return this.#growth('', '', false);
  }

  get state(): ReplyState {
    const transcript = this.transcript;
    const opener = transcript?.opener ?? null;
    if (transcript === null || opener === null) return { kind: 'waiting' };
    const { isOver } = this;
    if (opener.end !== null) {
      const { outcome } = opener.end;
      // What was waited for counts no more once an answer came.
      const code = opener.end.code === null ? null : (this.#shown?.cause ?? opener.end.code);
      return { kind: 'ended', outcome, code, endedEarly: isOver && !opener.isFinal };
    }
    if (isOver) return { kind: 'ended', outcome: 'cut-off', code: null, endedEarly: true };
    if (this.text !== '' || this.reasoning !== '') return { kind: 'streaming' };
    const cause = this.#shown?.cause ?? null;
    return cause === null ? { kind: 'waiting' } : { kind: 'waiting', cause };
  }

  /** Why it ended as it did, the finest reason first: what the compact reply has no place for. */
  get codes(): readonly string[] {
    const { state } = this;
    const end = this.transcript?.opener?.end ?? null;
    if (state.kind !== 'ended' || end === null) return [];
    const reasons = [state.code, end.code, state.endedEarly ? endedEarlyCode : null];
    return [...new Set(reasons.filter((code) => code !== null))];
  }

  get outcome(): ReplyOutcome | null {
    const { state } = this;
    return state.kind === 'ended' ? state.outcome : null;
  }

  /** @returns null when nothing that a person could see has changed. */
  take(record: LiveRecord): ReplyGrowth | null {
    const id = toHex(record.transcriptId);
    let entry = this.#transcripts.get(id);
    if (entry === undefined) {
      if (record.kind === 'closed') return null;
      if (this.#transcripts.size >= maximumTranscripts && !this.#dropUnopened()) return null;
      const reader = new TranscriptReader(this.#turnKey, fromBase64Url(this.turnId), this.#standing);
      entry = { reader, shown: nothingShown() };
      this.#transcripts.set(id, entry);
    }
    const pieces = readRecord(entry.reader, record);
    const grown = addPieces(entry.shown, pieces);
    if (pieces.length > 0) this.#fruitless = 0;
    if (this.#choose()) return this.#growth(this.text, this.reasoning, true);
    if (this.#chosen !== id) return null;
    if (grown.replaced) return this.#growth(this.text, this.reasoning, true);
    return this.#growth(grown.text, grown.reasoning, false);
  }

  /** More may be known of whom the question was sealed to. @returns whether that changed anything. */
  reconsider(): boolean {
    let isChanged = false;
    for (const { reader, shown } of this.#transcripts.values()) {
      const before = reader.state;
      addPieces(shown, reader.reconsider());
      isChanged ||= reader.state !== before;
    }
    if (isChanged) this.#choose();
    return isChanged;
  }

  /** The oldest of which nothing can be read makes room: made-up ones must not keep the answer out. */
  #dropUnopened(): boolean {
    for (const [id, { reader }] of this.#transcripts) {
      if (reader.state === 'refused' || reader.state === 'waiting-for-header') return this.#transcripts.delete(id);
    }
    return false;
  }

  discard(): void {
    for (const { reader } of this.#transcripts.values()) reader.discard();
  }

  get #shown(): ShownReply | null {
    return this.#chosen === null ? null : (this.#transcripts.get(this.#chosen)?.shown ?? null);
  }

  /** @returns whether another transcript is shown now. */
  #choose(): boolean {
    const current = this.transcript;
    if (current !== null && isGoingWell(current)) return false;
    for (const [id, { reader }] of this.#transcripts) {
      if (id === this.#chosen || reader.opener === null || reader.state !== 'open') continue;
      if (current !== null && reader.opener.end === null && reader.nextNumber <= current.nextNumber) continue;
      const isFirst = this.#chosen === null;
      this.#chosen = id;
      // The first one's pieces are growth like any other.
      return !isFirst || reader.nextNumber > 0;
    }
    return false;
  }

  #growth(text: string, reasoning: string, replaced: boolean): ReplyGrowth | null {
    const state = JSON.stringify([this.state, this.leftOut]);
    const stateChanged = state !== this.#lastState;
    this.#lastState = state;
    return text === '' && reasoning === '' && !replaced && !stateChanged
      ? null
      : { text, reasoning, replaced, stateChanged };
  }
}

/** It has its end, or may still come to it. */
function isGoingWell({ opener, closed, state }: TranscriptReader): boolean {
  return (opener !== null && opener.end !== null) || (closed === null && state === 'open');
}

function readRecord(reader: TranscriptReader, record: LiveRecord): readonly ReplyPiece[] {
  switch (record.kind) {
    case 'header':
      // Under another's name a true one would stand before the answer for good.
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
  for (const reason of ['final', 'gone', 'lost'] as const) if (closeReasons[reason] === body[0]) return reason;
  return 'lost';
}
