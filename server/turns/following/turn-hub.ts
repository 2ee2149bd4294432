import { recordTurnId } from '../../../crypto/protocol/messages/live-record.ts';
import type { SealedRequestMessage } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Log } from '../../../process/event-log.ts';
import type { Enclave, StreamListener } from '../../pools/pool.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { decodeBytes } from '../../api/route/wire-bytes.ts';
import type { FrameJournal } from '../../frames/frame-journal.ts';
import { FrameRequests } from './frame-requests.ts';
import { type FollowedTurn, type HeldTurn, newHeldTurn, storedTranscript } from './held-turn.ts';
import type { LiveClients } from '../../live/live-clients.ts';
import { idKey } from '../../frames/id-keys.ts';
import { RecordIntake } from './record-intake.ts';
import { TurnEndings } from './turn-endings.ts';
import type { TranscriptGap } from '../../frames/transcript-rows.ts';

/** The running turns that this process follows: where each one's requests went, and what becomes of it with its enclaves. */
export class TurnHub implements StreamListener {
  readonly #turns = new Map<string, HeldTurn>();
  /** How often each enclave's stream was opened. */
  readonly #openings = new Map<string, number>();
  readonly #journal: FrameJournal;
  readonly #log: Log;
  readonly #endings: TurnEndings;
  readonly #requests: FrameRequests;
  readonly #intake: RecordIntake;

  /** @param dependencies.owner - Whose leases on turns are this process's. */
  constructor(dependencies: {
    readonly owner: string;
    readonly journal: FrameJournal;
    readonly clients: LiveClients;
    readonly log: Log;
  }) {
    this.#endings = new TurnEndings(dependencies, (turn) => this.forget(turn));
    this.#requests = new FrameRequests(dependencies.journal, this.#endings);
    this.#intake = new RecordIntake({ ...dependencies, endings: this.#endings, requests: this.#requests });
    this.#journal = dependencies.journal;
    this.#log = dependencies.log;
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
    if (takenOver) this.#intake.writeFromHere(turn);
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
      this.#intake.promise(turn, enclave, decodeBytes(transcriptId));
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
    const turn = this.#turns.get(idKey(recordTurnId(record)));
    if (turn === undefined) return;
    turn.heardAtMs = performance.now();
    this.#intake.take(turn, enclave, record);
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

  /** Asks an enclave for what is still needed of these turns. A failed call is tried again by `sweep`. */
  watch(enclave: Enclave, turns: Iterable<HeldTurn>): void {
    this.#requests.ask(enclave, turns);
  }

  /** Looks after turns from which nothing was heard. */
  sweep(): void {
    this.#requests.sweep(this.#turns.values());
  }
}

/** True if an error leaves open if the enclave took the request. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof RelayError)) return true;
  return error.code === 'enclave-unreachable' || error.code === 'enclave-starting';
}
