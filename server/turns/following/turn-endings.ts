import { type CloseReason, closeReasons, encodeLiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import type { FrameJournal } from '../../frames/frame-journal.ts';
import { type HeldTranscript, type HeldTurn, outcomeOf } from './held-turn.ts';
import type { LiveClients } from '../../live/live-clients.ts';

/** How often an end without its frames is asked about before the reply counts as cut off. */
const maximumFruitless = 8;

/** How the turns of one process end (README.md): transcripts are closed, reopened where a frame is missing, turns settled. */
export class TurnEndings {
  readonly #owner: string;
  readonly #journal: FrameJournal;
  readonly #clients: LiveClients;
  readonly #forget: (turn: HeldTurn) => void;

  constructor(
    dependencies: { readonly owner: string; readonly journal: FrameJournal; readonly clients: LiveClients },
    forget: (turn: HeldTurn) => void,
  ) {
    this.#owner = dependencies.owner;
    this.#journal = dependencies.journal;
    this.#clients = dependencies.clients;
    this.#forget = forget;
  }

  close(turn: HeldTurn, transcript: HeldTranscript, reason: CloseReason): void {
    if (transcript.closed !== null) return;
    transcript.closed = reason;
    const ids = { turnId: turn.id, transcriptId: transcript.id };
    if (turn.owned) this.#journal.addClose({ ...ids, reason, frames: transcript.written, owner: this.#owner });
    const body = Uint8Array.of(closeReasons[reason]);
    this.#clients.push(turn.accountId, encodeLiveRecord({ kind: 'closed', ...ids, number: transcript.pushed, body }));
  }

  /** Goes on with a transcript at the first frame that is not stored. */
  reopen(turn: HeldTurn, transcript: HeldTranscript, from: number): void {
    turn.ending = false;
    transcript.closed = null;
    transcript.written = from;
    if (this.isFruitless(turn, transcript)) this.settle(turn);
  }

  /** Gives a transcript up whose enclave keeps naming an end without the frames before it. */
  isFruitless(turn: HeldTurn, transcript: HeldTranscript): boolean {
    transcript.endedEarly += 1;
    if (transcript.endedEarly < maximumFruitless) return false;
    this.close(turn, transcript, 'lost');
    return true;
  }

  /** Ends a turn of which nothing more can come. A turn that this process writes is held until its end is in the database. */
  settle(turn: HeldTurn): void {
    const state = outcomeOf(turn);
    if (state === null || turn.ending) return;
    if (!turn.owned) return this.#forget(turn);
    turn.ending = true;
    const { accountId, id: turnId } = turn;
    this.#journal.addEnd({ turnId, accountId, owner: this.#owner, state, endedAtMs: Date.now() });
  }
}
