import type { TurnRecord } from '../../../crypto/protocol/messages/turn-messages.ts';
import { RelayCallError } from './http/relay-call-error.ts';
import type { RelayClient } from './relay-client.ts';

/** Two hundred thousand turns. */
const maximumPages = 1_000;

/** The relay's list of turns that began after a time, whole: which of them matter is not said by what is asked. */
export async function listTurns(client: Pick<RelayClient, 'readTurns'>, afterMs: number): Promise<TurnRecord[]> {
  const turns: TurnRecord[] = [];
  let place: { ms: number; id: string | null } = { ms: afterMs, id: null };
  for (let page = 0; ; page++) {
    const answer = await client.readTurns(place.ms, place.id);
    turns.push(...answer.turns);
    if (!answer.more) return turns;
    const last = answer.turns.at(-1);
    const isForward =
      last !== undefined &&
      (last.startedAtMs > place.ms || (last.startedAtMs === place.ms && last.turnId !== place.id));
    if (!isForward || page >= maximumPages) throw new RelayCallError('malformed-answer');
    place = { ms: last.startedAtMs, id: last.turnId };
  }
}

/**
 * Before this time nothing runs and no transcript waits, so the next list may begin there.
 *
 * @param newestSettledMs - When the newest question was written whose reply is compact. The times of turns are the relay's
 *   word: without this bound one that lies in the future would hide every reply to come.
 */
export function settledUntil(turns: readonly TurnRecord[], before: number, newestSettledMs: number): number {
  let settled = before;
  for (const turn of turns.toSorted((a, b) => a.startedAtMs - b.startedAtMs)) {
    if (turn.state === 'running' || turn.transcripts.length > 0) {
      settled = Math.min(settled, turn.startedAtMs);
      break;
    }
    settled = Math.max(settled, turn.startedAtMs);
  }
  // More turns of the newest millisecond may still come.
  return Math.max(before, Math.min(settled - 1, newestSettledMs));
}
