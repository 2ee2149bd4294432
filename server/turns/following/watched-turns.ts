import type { Enclave, WatchedTurn } from '../../pools/pool.ts';
import { encodeBytes } from '../../api/route/wire-bytes.ts';
import { type HeldTurn, neededFrom } from './held-turn.ts';

/** Where something of this turn may still come from. */
export function enclavesOf(turn: HeldTurn): Set<Enclave> {
  const enclaves = new Set<Enclave>();
  if (turn.enclave !== null) enclaves.add(turn.enclave);
  for (const { enclave, closed } of turn.transcripts.values()) {
    if (enclave !== null && closed === null) enclaves.add(enclave);
  }
  return enclaves;
}

/** Names what to ask an enclave for, so that nothing of this turn is missing here. */
export function watchedTurns(turn: HeldTurn, enclave: Enclave): WatchedTurn[] {
  // A request on its way is answered by its own frames.
  if (turn.attempting > 0) return [];
  const turnId = encodeBytes(turn.id);
  // A transcript that only the enclave knows of comes with all others.
  if (turn.awaited !== null && turn.enclave === enclave) return [{ turnId, transcriptId: null, from: 0 }];
  const open = [...turn.transcripts.values()].filter((held) => held.enclave === enclave && held.closed === null);
  // Accepted or not, nothing of the newest request has arrived: whatever is held, from the beginning.
  if (open.length === 0) return turn.enclave === enclave ? [{ turnId, transcriptId: null, from: 0 }] : [];
  return open.map((held) => ({ turnId, transcriptId: encodeBytes(held.id), from: neededFrom(turn, held) }));
}
