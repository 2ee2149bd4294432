import { type CloseReason, closeReasons, encodeLiveRecord } from '../../crypto/messages/live-record.ts';
import type { SealedRequestMessage } from '../../crypto/messages/turn-messages.ts';
import type { Bytes } from '../../crypto/primitives/bytes.ts';
import type { Log } from '../log.ts';
import type { Enclave, StreamListener, WatchedTurn } from '../pools/pool.ts';
import { RelayError } from '../relay-error.ts';
import type { FrameJournal } from './frame-journal.ts';
import {
  type FollowedTurn,
  type HeldTranscript,
  type HeldTurn,
  isBehind,
  maximumTranscripts,
  newHeldTranscript,
  newHeldTurn,
  neededFrom,
  outcomeOf,
  reasonOf,
} from './held-turn.ts';
import type { LiveClients } from './live-clients.ts';
import { bodyOf, idKey, idOfKey, isKind, numberOf, transcriptKeyOf, turnKeyOf } from './record-view.ts';
import { enclavesOf, watchedParts } from './watched-parts.ts';

/** Transcript header and the hash of the request behind it. */
const headerBodyLength = 131;
/** A turn that is asked for again is given this long before it is asked for once more. */
const watchIntervalMs = 2_000;
/** Every turn sends a frame each tick, so this much silence means that something broke. */
const silenceMs = 10_000;
/** As long as an enclave may hold frames that nobody fetched; after it nothing can come any more. */
const holdMs = 15 * 60_000;
/** For an enclave that the settings name no longer: a replica with the old settings has renewed its lease by then. */
const unnamedMs = 45_000;

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
  readonly #owner: string;

  /** @param parts.owner - Whose leases on turns are this process's. */
  constructor(parts: {
    readonly owner: string;
    readonly journal: FrameJournal;
    readonly clients: LiveClients;
    readonly log: Log;
  }) {
    this.#owner = parts.owner;
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
    for (const { id, enclave, from, closed } of followed.transcripts) {
      const transcript = turn.transcripts.get(idKey(id));
      if (transcript === undefined) {
        turn.transcripts.set(idKey(id), newHeldTranscript({ id, enclave, closed, from, header: null }));
      } else if (takenOver) {
        transcript.written = from;
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
      await enclave.startTurn(request);
    } finally {
      turn.attempting -= 1;
    }
    turn.acceptedAtMs = Date.now();
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
    turn.heardAtMs = Date.now();
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
      for (const transcript of open) this.#close(turn, transcript, 'lost');
      if (turn.enclave === enclave) turn.enclave = null;
      else if (open.length === 0) continue;
      const isExpected = [...turn.transcripts.values()].some((held) => held.enclave === turn.enclave);
      if (turn.enclave === null || isExpected) this.settle(turn);
    }
    this.#log.warn('enclave-lost', { enclave: enclave.id });
  }

  /** What a process that died never wrote of a turn that was watched here. */
  #writeFromHere(turn: HeldTurn): void {
    for (const transcript of turn.transcripts.values()) {
      transcript.written = 0;
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
    const known = turn.transcripts.get(key);
    if (known?.enclave === enclave) known.inOrder = true;
    if (known !== undefined || turn.transcripts.size >= maximumTranscripts) return;
    // A copy: a view would keep a whole piece of the stream alive for as long as the turn runs.
    const copy = new Uint8Array(header);
    const transcript = newHeldTranscript({ id: idOfKey(key), enclave, closed: null, from: 0, header: copy });
    turn.transcripts.set(key, transcript);
    if (turn.owned) this.#addHeader(turn, transcript);
    this.#clients.push(turn.accountId, record);
  }

  #takeFrame(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const transcript = turn.transcripts.get(transcriptKeyOf(record));
    if (transcript === undefined || transcript.enclave !== enclave || transcript.closed !== null) return;
    const number = numberOf(record);
    const isNeeded = number === neededFrom(turn, transcript);
    if (number >= transcript.seen) transcript.seen = number + 1;
    if (turn.owned && number === transcript.written) {
      if (this.#journal.addFrame(turn.id, transcript.id, number, bodyOf(record))) transcript.written += 1;
    }
    if (number === transcript.pushed) {
      transcript.pushed += 1;
      this.#clients.push(turn.accountId, record);
    }
    if (!isBehind(turn, transcript)) return;
    if (isNeeded) turn.watchedAtMs = turn.heardAtMs;
    else this.#watchAgain(turn, enclave);
  }

  #takeClosed(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const reason = reasonOf(bodyOf(record)[0]);
    if (reason === null) return;
    const transcript = turn.transcripts.get(transcriptKeyOf(record));
    if (transcript !== undefined) {
      if (transcript.enclave !== enclave) return;
      // The missing frames are asked for again, and this record comes again behind them.
      const isWhole = transcript.inOrder && !isBehind(turn, transcript);
      if (reason === 'final' && !isWhole) this.#watchAgain(turn, enclave);
      else this.#close(turn, transcript, reason);
    } else if (reason === 'gone' && turn.heardAtMs - turn.acceptedAtMs > watchIntervalMs) {
      // The enclave knows nothing of the turn at all.
      for (const open of turn.transcripts.values()) if (open.enclave === enclave) this.#close(turn, open, reason);
    }
    this.settle(turn);
  }

  #close(turn: HeldTurn, transcript: HeldTranscript, reason: CloseReason): void {
    if (transcript.closed !== null) return;
    transcript.closed = reason;
    if (turn.owned) this.#journal.addClose({ turnId: turn.id, transcriptId: transcript.id, reason });
    const body = Uint8Array.of(closeReasons[reason]);
    const ids = { turnId: turn.id, transcriptId: transcript.id };
    this.#clients.push(turn.accountId, encodeLiveRecord({ kind: 'closed', ...ids, number: transcript.pushed, body }));
  }

  /** Ends a turn of which nothing more can come. */
  settle(turn: HeldTurn): void {
    const state = outcomeOf(turn);
    if (state === null) return;
    this.forget(turn);
    if (!turn.owned) return;
    const { accountId, id: turnId } = turn;
    this.#journal.addEnd({ turnId, accountId, owner: this.#owner, state, endedAtMs: Date.now() });
  }

  #watchAgain(turn: HeldTurn, enclave: Enclave): void {
    if (Date.now() - turn.watchedAtMs < watchIntervalMs || !this.#journal.hasRoom) return;
    this.watch(enclave, [turn]);
  }

  /** Asks an enclave for what is still needed of these turns. What fails is tried again by `sweep`. */
  watch(enclave: Enclave, turns: Iterable<HeldTurn>): void {
    const watched: WatchedTurn[] = [];
    for (const turn of turns) {
      const asked = watchedParts(turn, enclave);
      if (asked.length > 0) turn.watchedAtMs = Date.now();
      watched.push(...asked);
    }
    if (watched.length > 0) enclave.watch(watched).catch(() => undefined);
  }

  /** Looks after turns from which nothing was heard: asks again, and gives up past the time that enclaves hold frames. */
  sweep(): void {
    const nowMs = Date.now();
    const silent = new Map<Enclave, HeldTurn[]>();
    for (const turn of this.#turns.values()) {
      if (turn.attempting > 0 || nowMs - turn.heardAtMs < silenceMs) continue;
      if (nowMs - turn.heardAtMs > (enclavesOf(turn).size === 0 ? unnamedMs : holdMs)) {
        for (const transcript of turn.transcripts.values()) this.#close(turn, transcript, 'lost');
        this.settle(turn);
        continue;
      }
      if (nowMs - turn.watchedAtMs < silenceMs) continue;
      for (const enclave of enclavesOf(turn)) {
        if (enclave.connected) silent.set(enclave, [...(silent.get(enclave) ?? []), turn]);
        else enclave.connect();
      }
    }
    for (const [enclave, turns] of silent) this.watch(enclave, turns);
  }
}

/** Whether an error leaves open if the enclave took the request. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof RelayError)) return true;
  return error.code === 'enclave-unreachable' || error.code === 'enclave-starting';
}
