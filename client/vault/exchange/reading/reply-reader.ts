import type { LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { endedEarlyCode, type ReplyOutcome } from '../../../../crypto/protocol/contents/item-contents.ts';
import { type Bytes, fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import type { ReplyState } from './reply-state.ts';
import type { ShownReply } from './shown-reply.ts';
import { type KeyStanding, TranscriptReader } from './transcript-reader.ts';
import { Transcripts } from './transcripts.ts';

/** A turn's name, and the key that opens its reply on every device and stops it. */
export type Turn = { readonly turnId: string; readonly turnKey: string };

/** How often what is missing is asked for in vain before the reply counts as cut off. */
export const maximumFruitlessFetches = 4;

/** The change that one record made. `replaced`: the whole text must be shown again. */
export type ReplyGrowth = {
  readonly text: string;
  readonly reasoning: string;
  readonly replaced: boolean;
  readonly stateChanged: boolean;
};

/** The reply to one question, out of whatever transcripts of it there are. */
export class ReplyReader {
  readonly turnId: string;
  readonly #transcripts: Transcripts;
  #fruitless = 0;
  #isDiscarded = false;
  #edition = 0;
  #lastState: string;

  constructor(turnId: string, turnKey: string, standing: (keyId: Bytes) => KeyStanding) {
    this.turnId = turnId;
    const key = new Secret('TurnKey', fromBase64Url(turnKey));
    this.#transcripts = new Transcripts(() => new TranscriptReader(key, fromBase64Url(turnId), standing));
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

  /** How often other words took the place of those that had come. */
  get edition(): number {
    return this.#edition;
  }

  /** The transcript that is shown. */
  get transcript(): TranscriptReader | null {
    return this.#transcripts.chosen?.reader ?? null;
  }

  /**
   * There are transcripts, and none of them can be a reply to this question any more. One whose header has not come yet may be:
   * a page that was reloaded in the middle hears live frames before it has fetched the beginning.
   */
  get isUnreadable(): boolean {
    const { readers } = this.#transcripts;
    const isAskedInVain = this.#fruitless >= maximumFruitlessFetches;
    const isLost = ({ state }: TranscriptReader) =>
      state === 'refused' || state === 'foreign' || (state === 'waiting-for-header' && isAskedInVain);
    return readers.length > 0 && readers.every(isLost);
  }

  /** Every transcript that belongs to this turn, for "What the relay sees". */
  get transcripts(): readonly { readonly id: string; readonly sealedBytes: Bytes }[] {
    return this.#transcripts.byId.map(([id, { sealedBytes }]) => ({ id, sealedBytes }));
  }

  /** Frames that are here, by transcript; to tell whether the relay has more. */
  framesOf(transcriptId: string): number | null {
    return this.#transcripts.framesOf(transcriptId);
  }

  /** How far each transcript has come. */
  get progress(): string {
    return this.#transcripts.byId.map(([id, { nextNumber }]) => `${id}:${nextNumber}`).join();
  }

  /** Nothing of it will change any more, unless another device's item says otherwise. */
  get isSettled(): boolean {
    const { transcript } = this;
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
    const { transcript } = this;
    if (transcript === null) return false;
    const isStuck = this.#fruitless >= maximumFruitlessFetches && transcript.isMissingFrames;
    return (
      transcript.opener?.isFinal === true || transcript.closed !== null || transcript.state === 'broken' || isStuck
    );
  }

  /** The records to fetch: all after this number of this transcript, or of all transcripts. */
  get missing(): { readonly after: number; readonly transcriptId: string | null } | null {
    const isInVain = this.#fruitless >= maximumFruitlessFetches;
    return isInVain || this.#isDiscarded ? null : this.#transcripts.missing;
  }

  /** @param isFruitful - True if the fetch brought something that could be read. */
  noteFetch(isFruitful: boolean): ReplyGrowth | null {
    this.#fruitless = isFruitful ? 0 : this.#fruitless + 1;
    return this.#growth('', '', false);
  }

  get state(): ReplyState {
    const opener = this.transcript?.opener ?? null;
    if (opener === null) return { kind: 'waiting' };
    const { isOver } = this;
    if (opener.end !== null) {
      const { outcome } = opener.end;
      // The cause of an earlier wait does not count for a reply that ended well.
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
    const taken = this.#transcripts.take(record);
    if (taken === null) return null;
    const { isNewChoice, grown, hasPieces } = taken;
    if (hasPieces) this.#fruitless = 0;
    if (isNewChoice || grown?.replaced === true) return this.#growth(this.text, this.reasoning, true);
    return grown === null ? null : this.#growth(grown.text, grown.reasoning, false);
  }

  /** More may be known of whom the question was sealed to. @returns whether that changed anything. */
  reconsider(): boolean {
    const isChanged = this.#transcripts.reconsider();
    if (isChanged) this.#edition += 1;
    return isChanged;
  }

  discard(): void {
    this.#isDiscarded = true;
    this.#transcripts.discard();
  }

  get #shown(): ShownReply | null {
    return this.#transcripts.chosen?.shown ?? null;
  }

  #growth(text: string, reasoning: string, replaced: boolean): ReplyGrowth | null {
    if (replaced) this.#edition += 1;
    const state = JSON.stringify([this.state, this.leftOut]);
    const stateChanged = state !== this.#lastState;
    this.#lastState = state;
    return text === '' && reasoning === '' && !replaced && !stateChanged
      ? null
      : { text, reasoning, replaced, stateChanged };
  }
}
