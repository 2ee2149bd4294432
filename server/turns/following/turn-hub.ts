import { closeReasonOf } from '../../../crypto/protocol/messages/live-record.ts';
import type { SealedRequestMessage } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Log } from '../../../process/event-log.ts';
import type { Enclave, StreamListener } from '../../pools/pool.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { decodeBytes } from '../../api/route/wire-bytes.ts';
import type { FrameJournal } from '../../frames/frame-journal.ts';
import { FrameRequests, watchIntervalMs } from './frame-requests.ts';
import {
  type FollowedTurn,
  type HeldTranscript,
  type HeldTurn,
  isBehind,
  maximumTranscripts,
  neededFrom,
  newHeldTurn,
  noteAnswer,
  promisedTranscript,
  storedTranscript,
} from './held-turn.ts';
import type { LiveClients } from '../../live/live-clients.ts';
import { bodyOf, idKey, idOfKey, isKind, numberOf, transcriptKeyOf, turnKeyOf } from '../../frames/record-view.ts';
import { TurnEndings } from './turn-endings.ts';
import { requestHashOf, type TranscriptGap } from '../../frames/transcript-rows.ts';

/** Transcript header and the hash of the request behind it. */
const headerBodyLength = 131;

/**
 * The running turns that this process follows: takes records off the enclaves' streams, passes them to the account's
 * browsers as they are, and to the journal.
 *
 * A stream is in order, so a frame that is not the next one means that some were missed: they are asked for again.
 */
export class TurnHub implements StreamListener {
  readonly #turns = new Map<string, HeldTurn>();
  /** How often each enclave's stream was opened. */
  readonly #openings = new Map<string, number>();
  readonly #journal: FrameJournal;
  readonly #clients: LiveClients;
  readonly #log: Log;
  readonly #endings: TurnEndings;
  readonly #requests: FrameRequests;

  /** @param parts.owner - Whose leases on turns are this process's. */
  constructor(parts: {
    readonly owner: string;
    readonly journal: FrameJournal;
    readonly clients: LiveClients;
    readonly log: Log;
  }) {
    this.#endings = new TurnEndings(parts, (turn) => this.forget(turn));
    this.#requests = new FrameRequests(parts.journal, this.#endings);
    this.#journal = parts.journal;
    this.#clients = parts.clients;
    this.#log = parts.log;
  }

  get turns(): IterableIterator<HeldTurn> {
    return this.#turns.values();
  }

  find(turnId: Bytes): HeldTurn | undefined {
    return this.#turns.get(idKey(turnId));
  }

  /** Begins to follow a turn, or takes over writing one that was followed for its watchers only. */
  follow(followed: FollowedTurn): HeldTurn {
    const key = idKey(followed.id);
    let turn = this.#turns.get(key);
    if (turn === undefined) {
      turn = newHeldTurn(key, followed);
      this.#turns.set(key, turn);
    }
    turn.enclave = followed.enclave ?? turn.enclave;
    const takenOver = followed.owned && !turn.owned;
    turn.owned ||= followed.owned;
    if (takenOver) this.#writeFromHere(turn);
    for (const stored of followed.transcripts) {
      const transcript = turn.transcripts.get(idKey(stored.id));
      if (transcript === undefined) {
        turn.transcripts.set(idKey(stored.id), storedTranscript(turn, stored));
        turn.ending = false;
      } else if (takenOver || (transcript.closed !== null && stored.closed === null)) {
        this.#endings.reopen(turn, transcript, stored.from);
        transcript.closed = stored.closed;
      }
    }
    return turn;
  }

  forget(turn: HeldTurn): void {
    if (this.#turns.get(turn.key) === turn) this.#turns.delete(turn.key);
  }

  /**
   * Hands a sealed request to an enclave. Its frames may arrive before this resolves.
   *
   * @throws {RelayError} as the enclave answers; whoever asked settles the turn when nobody else may take it.
   */
  async handOn(turn: HeldTurn, enclave: Enclave, request: SealedRequestMessage): Promise<void> {
    turn.attempting += 1;
    turn.enclave = enclave;
    const openings = this.#openings.get(enclave.id);
    try {
      const { transcriptId } = await enclave.startTurn(request);
      // Its header may still be on its way, while everything else of the turn is over.
      this.#promise(turn, enclave, decodeBytes(transcriptId));
    } finally {
      turn.attempting -= 1;
    }
    turn.acceptedAtMs = performance.now();
    // The stream that the request named is gone, and its frames with it.
    if (openings !== undefined && openings !== this.#openings.get(enclave.id)) this.watch(enclave, [turn]);
  }

  /**
   * Lets go of turns that ended elsewhere: a device finished them, or another process took them over. The ids come from
   * whoever is signed in, so another account's turn is passed over.
   */
  finish(accountId: string, turnIds: readonly Bytes[]): void {
    for (const turnId of turnIds) {
      const turn = this.find(turnId);
      if (turn?.accountId !== accountId) continue;
      this.forget(turn);
      this.#journal.addFinished(turnId);
    }
  }

  record(enclave: Enclave, record: Uint8Array): void {
    const turn = this.#turns.get(turnKeyOf(record));
    if (turn === undefined) return;
    turn.heardAtMs = performance.now();
    if (isKind(record, 'frame')) this.#takeFrame(turn, enclave, record);
    else if (isKind(record, 'header')) this.#takeHeader(turn, enclave, record);
    else this.#takeClosed(turn, enclave, record);
  }

  opened(enclave: Enclave): void {
    this.#openings.set(enclave.id, (this.#openings.get(enclave.id) ?? 0) + 1);
    this.watch(enclave, [...this.#turns.values()]);
  }

  closed(enclave: Enclave, why: 'broken' | 'idle'): void {
    for (const turn of this.#turns.values()) {
      for (const transcript of turn.transcripts.values()) {
        if (transcript.enclave === enclave) transcript.inOrder = false;
      }
    }
    if (why === 'broken') this.#log.warn('enclave-stream-closed', { enclave: enclave.id });
  }

  /** Nothing of what it held will come any more; where a turn is at another enclave as well, it goes on there. */
  lost(enclave: Enclave): void {
    for (const turn of this.#turns.values()) {
      const open = [...turn.transcripts.values()].filter((held) => held.enclave === enclave);
      for (const transcript of open) this.#endings.close(turn, transcript, 'lost');
      if (turn.enclave === enclave) turn.enclave = null;
      else if (open.length === 0) continue;
      const isExpected = [...turn.transcripts.values()].some((held) => held.enclave === turn.enclave);
      if (turn.enclave === null || isExpected) this.#endings.settle(turn);
    }
    this.#log.warn('enclave-lost', { enclave: enclave.id });
  }

  /** A frame before a transcript's end is not stored: it is asked for again, from there. */
  missing(gap: TranscriptGap): void {
    const turn = this.find(gap.turnId);
    const transcript = turn?.transcripts.get(idKey(gap.transcriptId));
    this.#log.error('frames-missing', { held: transcript !== undefined });
    if (turn === undefined || transcript === undefined) return;
    this.#endings.reopen(turn, transcript, gap.from);
    if (transcript.closed === null && transcript.enclave !== null) this.watch(transcript.enclave, [turn]);
  }

  /** Ends a turn of which nothing more can come. */
  settle(turn: HeldTurn): void {
    this.#endings.settle(turn);
  }

  /** The end of a turn is in the database. */
  ended(turnId: Bytes): void {
    const turn = this.find(turnId);
    if (turn?.ending === true) this.forget(turn);
  }

  #promise(turn: HeldTurn, enclave: Enclave, transcriptId: Bytes): void {
    const key = idKey(transcriptId);
    if (turn.transcripts.has(key) || turn.transcripts.size >= maximumTranscripts) return;
    turn.transcripts.set(key, promisedTranscript(turn, transcriptId, enclave));
  }

  /** What a process that died never wrote of a turn that was watched here. */
  #writeFromHere(turn: HeldTurn): void {
    for (const transcript of turn.transcripts.values()) {
      transcript.written = 0;
      transcript.closed = null;
      this.#addHeader(turn, transcript);
    }
  }

  #addHeader(turn: HeldTurn, { enclave, header, id }: HeldTranscript): void {
    if (enclave === null || header === null) return;
    this.#journal.addHeader({ turnId: turn.id, transcriptId: id, enclaveId: enclave.id, header });
  }

  #takeHeader(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const header = bodyOf(record);
    const key = transcriptKeyOf(record);
    // The transcript's name is the beginning of the salt in its header.
    if (header.length !== headerBodyLength || idKey(header.subarray(35)) !== key) {
      this.#log.error('header-malformed', { enclave: enclave.id });
      return;
    }
    if (!turn.transcripts.has(key) && turn.transcripts.size >= maximumTranscripts) return;
    this.#promise(turn, enclave, idOfKey(key));
    const transcript = turn.transcripts.get(key);
    if (transcript?.enclave !== enclave) return;
    transcript.inOrder = true;
    turn.ending = false;
    noteAnswer(turn, requestHashOf(header));
    if (transcript.begun) return;
    transcript.begun = true;
    // A copy: a view would keep a whole piece of the stream alive for as long as the turn runs.
    transcript.header = new Uint8Array(header);
    if (turn.owned) this.#addHeader(turn, transcript);
    this.#clients.push(turn.accountId, record);
  }

  #takeFrame(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const transcript = turn.transcripts.get(transcriptKeyOf(record));
    if (transcript === undefined || transcript.enclave !== enclave || transcript.closed !== null) return;
    if (!transcript.begun) return;
    const number = numberOf(record);
    const isNeeded = number === neededFrom(turn, transcript);
    if (number >= transcript.seen) transcript.seen = number + 1;
    if (turn.owned && number === transcript.written) {
      const isTaken = this.#journal.addFrame(turn.id, transcript.id, number, bodyOf(record), transcript.placeKey);
      if (isTaken) transcript.written += 1;
    }
    if (number === transcript.pushed) {
      transcript.pushed += 1;
      this.#clients.push(turn.accountId, record);
    }
    if (isNeeded) transcript.endedEarly = 0;
    if (!isBehind(turn, transcript)) return;
    if (isNeeded) turn.watchedAtMs = turn.heardAtMs;
    else this.#requests.askAgain(turn, enclave);
  }

  #takeClosed(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const reason = closeReasonOf(bodyOf(record)[0]);
    if (reason === null) return;
    const transcript = turn.transcripts.get(transcriptKeyOf(record));
    if (transcript !== undefined) {
      if (transcript.enclave !== enclave) return;
      // The missing frames are asked for again, and this record comes again behind them.
      const isWhole =
        transcript.inOrder && !isBehind(turn, transcript) && neededFrom(turn, transcript) >= numberOf(record);
      if (reason !== 'final' || isWhole) this.#endings.close(turn, transcript, reason);
      else if (!this.#endings.isFruitless(turn, transcript)) this.#requests.askAgain(turn, enclave);
    } else if (reason === 'gone' && turn.heardAtMs - turn.acceptedAtMs > watchIntervalMs) {
      // The enclave knows nothing of the turn at all.
      turn.awaited = null;
      for (const open of turn.transcripts.values()) {
        if (open.enclave === enclave) this.#endings.close(turn, open, reason);
      }
    }
    this.#endings.settle(turn);
  }

  /** Asks an enclave for what is still needed of these turns. What fails is tried again by `sweep`. */
  watch(enclave: Enclave, turns: Iterable<HeldTurn>): void {
    this.#requests.ask(enclave, turns);
  }

  /** Looks after turns from which nothing was heard. */
  sweep(): void {
    this.#requests.sweep(this.#turns.values());
  }
}

/** Whether an error leaves open if the enclave took the request. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof RelayError)) return true;
  return error.code === 'enclave-unreachable' || error.code === 'enclave-starting';
}
