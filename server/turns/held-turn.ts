import { type CloseReason, closeReasons } from '../../crypto/messages/live-record.ts';
import type { Bytes } from '../../crypto/primitives/bytes.ts';
import type { Enclave } from '../pools/pool.ts';

/** A turn's own limit; `turnRecord` names no more. */
export const maximumTranscripts = 16;

/** One transcript that this process follows. */
export type HeldTranscript = {
  readonly id: Bytes;
  readonly enclave: Enclave | null;
  /** Null when it is in the database. */
  readonly header: Bytes | null;
  /** Number of the next frame for those who watch. */
  pushed: number;
  /** Every frame below it is in the database or on the way there; only an owner writes. */
  written: number;
  /** One more than the highest number that came: above what is needed next, frames were missed. */
  seen: number;
  /**
   * Whether its header came on the stream that stands now: every record of it follows its header in order, so that an
   * ending means something only behind one.
   */
  inOrder: boolean;
  closed: CloseReason | null;
};

/** One running turn that this process follows. */
export type HeldTurn = {
  readonly key: string;
  readonly id: Bytes;
  readonly accountId: string;
  /** Where the newest sealed request went; null when the pool does not know it any more. */
  enclave: Enclave | null;
  /** Whether this process writes the journal; it may also follow for its own browsers only. */
  owned: boolean;
  readonly transcripts: Map<string, HeldTranscript>;
  /** Requests on their way to an enclave: until one is answered, "gone" says nothing. */
  attempting: number;
  /** When the enclave took the newest request. */
  acceptedAtMs: number;
  heardAtMs: number;
  /** When its frames were last asked for again, or came because they were. */
  watchedAtMs: number;
};

export type FollowedTranscript = Pick<HeldTranscript, 'id' | 'enclave' | 'closed'> & { readonly from: number };

/** What is known of a turn when a process begins to follow it. */
export type FollowedTurn = Pick<HeldTurn, 'id' | 'accountId' | 'enclave' | 'owned'> & {
  readonly transcripts: readonly FollowedTranscript[];
};

export function newHeldTurn(key: string, followed: FollowedTurn): HeldTurn {
  const { id, accountId, enclave, owned } = followed;
  const times = { acceptedAtMs: 0, heardAtMs: Date.now(), watchedAtMs: 0 };
  return { key, id, accountId, enclave, owned, transcripts: new Map(), attempting: 0, ...times };
}

/** @param known - With a header it began on this very stream; without one it is in the database up to `from`. */
export function newHeldTranscript(known: FollowedTranscript & { readonly header: Bytes | null }): HeldTranscript {
  const { id, enclave, closed, from, header } = known;
  return { id, enclave, closed, header, pushed: from, written: from, seen: from, inOrder: header !== null };
}

export function reasonOf(byte: number | undefined): CloseReason | null {
  for (const name of ['final', 'gone', 'lost'] as const) if (closeReasons[name] === byte) return name;
  return null;
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
  if (turn.attempting > 0) return null;
  const transcripts = [...turn.transcripts.values()];
  if (transcripts.some((transcript) => transcript.closed === null)) return null;
  return transcripts.some((transcript) => transcript.closed === 'final') ? 'ended' : 'lost';
}
