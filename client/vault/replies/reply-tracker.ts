import type { LiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import { transcriptIdOf } from '../../../crypto/protocol/messages/transcript-header.ts';
import type { TurnRecord } from '../../../crypto/protocol/messages/turn-messages.ts';
import { type Bytes, fromBase64Url, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { FrameFetcher } from '../exchange/reading/frame-fetcher.ts';
import { readRecords } from '../exchange/reading/live-records.ts';
import { type ReplyGrowth, ReplyReader } from '../exchange/reading/reply-reader.ts';
import type { KeyStanding } from '../exchange/reading/transcript-reader.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { Clock } from '../surroundings/clock.ts';

/** Records of turns whose question has not come here yet. */
const maximumUnknownBytes = 1024 * 1024;
/** A record's own weight, so that empty ones are not held without end. */
const recordWeight = 128;
/** Turns that the relay says were begun; the list says the same of those that find no room. */
const maximumKnown = 250_000;

export type TrackerSurroundings = {
  readonly client: Pick<RelayClient, 'readFrames'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Says to whom a question was sealed, and when more is known of it. */
  readonly recipients: { standing(turnId: string, keyId: Bytes): KeyStanding; onLearnt: () => void };
  /** `growth` null: only what is known about the turn changed. */
  readonly onChange: (turnId: string, growth: ReplyGrowth | null) => void;
  /** A turn that this device has no question for: it was asked on another one. */
  readonly onUnknownTurn: () => void;
  readonly onSettled: (turnId: string) => void;
};

/** The relay's word on a turn when it was last asked, or by its live records since. */
export type KnownTurn = 'running' | 'with-transcript' | 'without-transcript';

/** The replies that are still being written or not compact yet, whoever asked for them. */
export class ReplyTracker {
  readonly #surroundings: TrackerSurroundings;
  readonly #fetcher: FrameFetcher;
  readonly #readers = new Map<string, ReplyReader>();
  readonly #known = new Map<string, KnownTurn>();
  readonly #unknown = new Map<string, LiveRecord[]>();
  readonly #settled = new Set<string>();
  /** Turns that a list of the relay covered, whether it named them or not. */
  readonly #checked = new Set<string>();
  #unknownBytes = 0;

  constructor(surroundings: TrackerSurroundings) {
    const { client, clock, signal, recipients } = surroundings;
    this.#surroundings = surroundings;
    this.#fetcher = new FrameFetcher({
      relay: client,
      clock,
      signal,
      onFetched: (reader, growth) => this.#afterFetching(reader, growth),
    });
    recipients.onLearnt = () => this.reconsider();
  }

  /** True if the relay was asked for this turn since its question came here. */
  isChecked(turnId: string): boolean {
    return this.#checked.has(turnId);
  }

  reader(turnId: string): ReplyReader | null {
    return this.#readers.get(turnId) ?? null;
  }

  known(turnId: string): KnownTurn | null {
    return this.#known.get(turnId) ?? null;
  }

  /** A copy: whoever goes through it may forget some. */
  get turnIds(): readonly string[] {
    return [...this.#readers.keys()];
  }

  /** A question without a compact reply: what comes for it can be read from now on. */
  watch(turnId: string, turnKey: string): void {
    if (this.#readers.has(turnId)) return;
    this.#readers.set(
      turnId,
      new ReplyReader(turnId, turnKey, (keyId) => this.#surroundings.recipients.standing(turnId, keyId)),
    );
    const waiting = this.#unknown.get(turnId);
    this.#unknown.delete(turnId);
    for (const record of waiting ?? []) {
      this.#unknownBytes -= weightOf(record);
      this.#take(record);
    }
  }

  /** The compact reply is here, or the question is gone. */
  forget(turnId: string): void {
    this.#readers.get(turnId)?.discard();
    this.#readers.delete(turnId);
    this.#settled.delete(turnId);
    this.#checked.delete(turnId);
  }

  /** Forgets turns that are no more, and looks at the others again: their verifications may have come. */
  retain(isThere: (turnId: string) => boolean): void {
    for (const turnId of this.turnIds) if (!isThere(turnId)) this.forget(turnId);
    this.reconsider();
  }

  /** Looks again at replies that could not be told from another's: now they may be. */
  reconsider(): void {
    for (const reader of this.#readers.values()) {
      if (!reader.reconsider()) continue;
      this.#surroundings.onChange(reader.turnId, null);
      this.#afterTaking(reader);
    }
  }

  /**
   * Replies whose frames should be coming, and how far each has come; frames come on a clock, whatever is in them. Whoever
   * holds them back must not learn from a question whether the words had come to their end.
   */
  get progress(): ReadonlyMap<string, string> {
    const running = [...this.#readers.values()].filter((reader) => !reader.isOver && this.#known.has(reader.turnId));
    return new Map(running.map((reader) => [reader.turnId, reader.progress]));
  }

  /** True while a reply is due that the relay has begun or is to begin. */
  get isExpecting(): boolean {
    return [...this.progress.keys()].some((turnId) => this.#known.get(turnId) !== 'without-transcript');
  }

  /** The relay took the question. */
  noteRunning(turnId: string): void {
    this.#known.set(turnId, 'running');
    this.#surroundings.onChange(turnId, null);
  }

  /** @param records - whole live records, from the relay or another tab. */
  takeRecords(records: Bytes): void {
    for (const record of readRecords(records)) this.#take(record);
  }

  /**
   * Takes over the relay's list and fetches what it has more of; which turns those are, the relay knows better than we.
   *
   * @param asked - Turns that were watched when the list was asked for: what it does not name of them is not there.
   */
  async resume(turns: readonly TurnRecord[], asked: Iterable<string>): Promise<void> {
    for (const turnId of asked) this.#checked.add(turnId);
    for (const turn of turns) {
      const hasTranscript = turn.transcripts.length > 0;
      const state = hasTranscript ? 'with-transcript' : turn.state === 'running' ? 'running' : 'without-transcript';
      this.#known.set(turn.turnId, state);
    }
    for (const turn of turns) {
      const reader = this.#readers.get(turn.turnId);
      const isWhole = reader?.transcript?.opener?.isFinal === true;
      if (reader === undefined || turn.transcripts.length === 0 || isWhole) continue;
      await this.#fetcher.fetch(reader, { after: firstMissing(reader, turn), transcriptId: null });
      if (this.#surroundings.signal.aborted) return;
    }
    for (const turnId of this.#readers.keys()) this.#surroundings.onChange(turnId, null);
  }

  #take(record: LiveRecord): void {
    if (record.kind === 'heartbeat' || record.kind === 'newer' || record.kind === 'stream') return;
    const turnId = toBase64Url(record.turnId);
    if (record.kind === 'started') {
      const isAsked = this.#readers.has(turnId);
      if (isAsked || this.#known.size < maximumKnown) this.#known.set(turnId, 'running');
      if (!isAsked) this.#surroundings.onUnknownTurn();
      else this.#surroundings.onChange(turnId, null);
      return;
    }
    const reader = this.#readers.get(turnId);
    if (reader === undefined) return this.#hold(turnId, record);
    this.#known.set(turnId, 'with-transcript');
    const growth = reader.take(record);
    if (growth !== null) this.#surroundings.onChange(turnId, growth);
    this.#afterTaking(reader);
  }

  #afterTaking(reader: ReplyReader): void {
    if (reader.isSettled) {
      if (this.#settled.has(reader.turnId)) return;
      this.#settled.add(reader.turnId);
      this.#surroundings.onSettled(reader.turnId);
    } else if (reader.missing !== null) {
      void this.#fetcher.fetchMissing(reader);
    }
  }

  #hold(turnId: string, record: LiveRecord): void {
    if (this.#unknownBytes + weightOf(record) > maximumUnknownBytes) return;
    this.#unknownBytes += weightOf(record);
    const waiting = this.#unknown.get(turnId);
    if (waiting === undefined) {
      this.#unknown.set(turnId, [record]);
      this.#surroundings.onUnknownTurn();
    } else {
      waiting.push(record);
    }
  }

  #afterFetching(reader: ReplyReader, growth: ReplyGrowth | null): void {
    if (growth !== null) this.#surroundings.onChange(reader.turnId, growth);
    this.#afterTaking(reader);
  }
}

/** The number before the first frame that is missing in any transcript of the list. */
function firstMissing(reader: ReplyReader, turn: TurnRecord): number {
  const numbers = turn.transcripts.map(({ header }) => reader.framesOf(toHex(transcriptIdOf(fromBase64Url(header)))));
  return numbers.some((number) => number === null || number === 0)
    ? -1
    : Math.min(...numbers.map((number) => number ?? 0)) - 1;
}

function weightOf({ body }: LiveRecord): number {
  return recordWeight + body.length;
}
