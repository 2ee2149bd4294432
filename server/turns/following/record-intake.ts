import {
  closeReasonOf,
  recordBody,
  recordKind,
  recordNumber,
  recordTranscriptId,
} from '../../../crypto/protocol/messages/live-record.ts';
import {
  headerBodyLength,
  requestHashOf,
  transcriptIdOf,
} from '../../../crypto/protocol/messages/transcript-header.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Log } from '../../../process/event-log.ts';
import type { FrameJournal } from '../../frames/frame-journal.ts';
import { idKey, idOfKey } from '../../frames/id-keys.ts';
import type { LiveClients } from '../../live/live-clients.ts';
import type { Enclave } from '../../pools/pool.ts';
import { type FrameRequests, watchIntervalMs } from './frame-requests.ts';
import {
  type HeldTranscript,
  type HeldTurn,
  isBehind,
  maximumTranscripts,
  neededFrom,
  noteAnswer,
  promisedTranscript,
} from './held-turn.ts';
import type { TurnEndings } from './turn-endings.ts';

/**
 * Takes the records of held turns off the enclaves' streams, passes them to the account's browsers as they are, and to the
 * journal.
 *
 * A stream is in order, so a frame that is not the next one means that some were missed: they are asked for again.
 */
export class RecordIntake {
  readonly #dependencies: {
    readonly journal: FrameJournal;
    readonly clients: LiveClients;
    readonly log: Log;
    readonly endings: TurnEndings;
    readonly requests: FrameRequests;
  };

  constructor(dependencies: {
    readonly journal: FrameJournal;
    readonly clients: LiveClients;
    readonly log: Log;
    readonly endings: TurnEndings;
    readonly requests: FrameRequests;
  }) {
    this.#dependencies = dependencies;
  }

  /** @param record - a header, a frame or the end of a transcript of this turn. */
  take(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const kind = recordKind(record);
    if (kind === 'frame') this.#takeFrame(turn, enclave, record);
    else if (kind === 'header') this.#takeHeader(turn, enclave, record);
    else if (kind === 'closed') this.#takeClosed(turn, enclave, record);
  }

  /** An enclave took a request: its transcript is expected, whatever of it comes first. */
  promise(turn: HeldTurn, enclave: Enclave, transcriptId: Bytes): void {
    const key = idKey(transcriptId);
    if (turn.transcripts.has(key) || turn.transcripts.size >= maximumTranscripts) return;
    turn.transcripts.set(key, promisedTranscript(turn, transcriptId, enclave));
  }

  /** Writes from here what a process that died never wrote of a turn that was watched here. */
  writeFromHere(turn: HeldTurn): void {
    for (const transcript of turn.transcripts.values()) {
      transcript.written = 0;
      transcript.closed = null;
      this.#addHeader(turn, transcript);
    }
  }

  #addHeader(turn: HeldTurn, { enclave, header, id }: HeldTranscript): void {
    if (enclave === null || header === null) return;
    this.#dependencies.journal.addHeader({ turnId: turn.id, transcriptId: id, enclaveId: enclave.id, header });
  }

  #takeHeader(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const header = recordBody(record);
    const key = idKey(recordTranscriptId(record));
    // The transcript's name is the beginning of the salt in its header.
    if (header.length !== headerBodyLength || idKey(transcriptIdOf(header)) !== key) {
      this.#dependencies.log.error('header-malformed', { enclave: enclave.id });
      return;
    }
    if (!turn.transcripts.has(key) && turn.transcripts.size >= maximumTranscripts) return;
    this.promise(turn, enclave, idOfKey(key));
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
    this.#dependencies.clients.push(turn.accountId, record);
  }

  #takeFrame(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const transcript = turn.transcripts.get(idKey(recordTranscriptId(record)));
    if (transcript === undefined || transcript.enclave !== enclave || transcript.closed !== null) return;
    if (!transcript.begun) return;
    const number = recordNumber(record);
    const isNeeded = number === neededFrom(turn, transcript);
    if (number >= transcript.seen) transcript.seen = number + 1;
    if (turn.owned && number === transcript.written) {
      const isTaken = this.#dependencies.journal.addFrame(
        turn.id,
        transcript.id,
        number,
        recordBody(record),
        transcript.placeKey,
      );
      if (isTaken) transcript.written += 1;
    }
    if (number === transcript.pushed) {
      transcript.pushed += 1;
      this.#dependencies.clients.push(turn.accountId, record);
    }
    if (isNeeded) transcript.endedEarly = 0;
    if (!isBehind(turn, transcript)) return;
    if (isNeeded) turn.watchedAtMs = turn.heardAtMs;
    else this.#dependencies.requests.askAgain(turn, enclave);
  }

  #takeClosed(turn: HeldTurn, enclave: Enclave, record: Uint8Array): void {
    const reason = closeReasonOf(recordBody(record)[0]);
    if (reason === null) return;
    const transcript = turn.transcripts.get(idKey(recordTranscriptId(record)));
    if (transcript !== undefined) {
      if (transcript.enclave !== enclave) return;
      // The missing frames are asked for again, and this record comes again behind them.
      const isWhole =
        transcript.inOrder && !isBehind(turn, transcript) && neededFrom(turn, transcript) >= recordNumber(record);
      if (reason !== 'final' || isWhole) this.#dependencies.endings.close(turn, transcript, reason);
      else if (!this.#dependencies.endings.isFruitless(turn, transcript)) {
        this.#dependencies.requests.askAgain(turn, enclave);
      }
    } else if (reason === 'gone' && turn.heardAtMs - turn.acceptedAtMs > watchIntervalMs) {
      // The enclave knows nothing of the turn at all.
      turn.awaited = null;
      for (const open of turn.transcripts.values()) {
        if (open.enclave === enclave) this.#dependencies.endings.close(turn, open, reason);
      }
    }
    this.#dependencies.endings.settle(turn);
  }
}
