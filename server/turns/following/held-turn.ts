import type { CloseReason } from '../../../crypto/protocol/messages/live-record.ts';
import { type Bytes, equalBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Enclave } from '../../pools/pool.ts';
import { placeKey } from '../../frames/pending-frames.ts';

/** A turn's own limit; `turnRecord` names no more. */
export const maximumTranscripts = 16;

/** One transcript that this process follows. */
export type HeldTranscript = {
  readonly id: Bytes;
  /** Turn and transcript as the journal names them: made once, since every frame is looked up by it. */
  readonly placeKey: string;
  readonly enclave: Enclave | null;
  /** Null when it is in the database, or on its way from the enclave. */
  header: Bytes | null;
  /** False until the header of one that an enclave promised is here: without it no frame can be read. */
  begun: boolean;
  /** Number of the next frame for those who watch. */
  pushed: number;
  /** Every frame below it is in the database or on the way there; only an owner writes. */
  written: number;
  /** One more than the highest number that came: above what is needed next, frames were missed. */
  seen: number;
  /**
   * True if its header came on the stream that stands now. Every record of it follows its header in order, so that an ending
   * means something only behind one.
   */
  inOrder: boolean;
  /** How often its end came while frames of it were missing, without one frame more since. */
  endedEarly: number;
  closed: CloseReason | null;
};

/** One running turn that this process follows. */
export type HeldTurn = {
  readonly key: string;
  readonly id: Bytes;
  readonly accountId: string;
  /** Where the newest sealed request went; null when the pool does not know it any more. */
  enclave: Enclave | null;
  /** True if this process writes the journal; it may also follow for its own browsers only. */
  owned: boolean;
  /** Its end is on its way into the database; until it is there, the turn is held. */
  ending: boolean;
  /** Requests that no stored transcript answers: their relay died, and nobody knows if one was taken. Given up after a while. */
  awaited: { readonly hashes: readonly Bytes[]; readonly untilMs: number } | null;
  readonly transcripts: Map<string, HeldTranscript>;
  /** Requests on their way to an enclave: until one is answered, "gone" says nothing. */
  attempting: number;
  /** When the enclave took the newest request. This and the next two by `performance.now`, which no clock moves. */
  acceptedAtMs: number;
  heardAtMs: number;
  /** When its frames were last asked for again, or came because they were. */
  watchedAtMs: number;
};

export type FollowedTranscript = Pick<HeldTranscript, 'id' | 'enclave' | 'closed'> & { readonly from: number };

/** A process knows this of a turn when it begins to follow it. */
export type FollowedTurn = Pick<HeldTurn, 'id' | 'accountId' | 'enclave' | 'owned'> & {
  readonly transcripts: readonly FollowedTranscript[];
  /** Requests that no stored transcript answers. */
  readonly awaited?: readonly Bytes[] | undefined;
};

/** So long is a transcript waited for that may never have begun: its relay died before it was taken or refused. */
const awaitedMs = 20_000;

export function newHeldTurn(key: string, followed: FollowedTurn): HeldTurn {
  const { id, accountId, awaited: hashes = [], enclave, owned } = followed;
  const nowMs = performance.now();
  const times = { acceptedAtMs: -Infinity, heardAtMs: nowMs, watchedAtMs: -Infinity };
  const awaited = hashes.length === 0 ? null : { hashes, untilMs: nowMs + awaitedMs };
  return {
    key,
    id,
    accountId,
    enclave,
    owned,
    ending: false,
    awaited,
    transcripts: new Map(),
    attempting: 0,
    ...times,
  };
}

/** One that is in the database up to `from`. */
export function storedTranscript(turn: HeldTurn, { closed, enclave, from, id }: FollowedTranscript): HeldTranscript {
  const cursors = { pushed: from, written: from, seen: from };
  return {
    id,
    placeKey: placeKey(turn.id, id),
    enclave,
    header: null,
    begun: true,
    ...cursors,
    inOrder: false,
    endedEarly: 0,
    closed,
  };
}

/** One that an enclave holds, from its beginning. */
export function promisedTranscript(turn: HeldTurn, id: Bytes, enclave: Enclave): HeldTranscript {
  const cursors = { pushed: 0, written: 0, seen: 0 };
  return {
    id,
    placeKey: placeKey(turn.id, id),
    enclave,
    header: null,
    begun: false,
    ...cursors,
    inOrder: false,
    endedEarly: 0,
    closed: null,
  };
}

/** A transcript answers this request: one less to wait for. */
export function noteAnswer(turn: HeldTurn, requestHash: Bytes): void {
  if (turn.awaited === null) return;
  const hashes = turn.awaited.hashes.filter((hash) => !equalBytes(hash, requestHash));
  turn.awaited = hashes.length === 0 ? null : { ...turn.awaited, hashes };
}

/** The first frame that somebody still needs: a browser here, or the journal. */
export function neededFrom(turn: HeldTurn, transcript: HeldTranscript): number {
  return turn.owned ? Math.min(transcript.pushed, transcript.written) : transcript.pushed;
}

export function isBehind(turn: HeldTurn, transcript: HeldTranscript): boolean {
  return neededFrom(turn, transcript) < transcript.seen;
}

/** @returns null while something may still come. */
export function outcomeOf(turn: HeldTurn): 'ended' | 'lost' | null {
  if (turn.attempting > 0 || turn.awaited !== null) return null;
  const transcripts = [...turn.transcripts.values()];
  if (transcripts.some((transcript) => transcript.closed === null)) return null;
  return transcripts.some((transcript) => transcript.closed === 'final') ? 'ended' : 'lost';
}
