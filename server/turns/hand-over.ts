import type { TurnAttempt } from '../../crypto/protocol/messages/turn-messages.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { Enclave, Pool } from '../pools/pool.ts';
import type { Database } from '../storage/tables/database.ts';
import type { HeldTurn } from './following/held-turn.ts';
import { isAway, type TurnHub } from './following/turn-hub.ts';
import { type Attempt, moveTurn } from './rows/turn-rows.ts';

export type HandOverDependencies = { readonly database: Database; readonly hub: TurnHub; readonly pool: Pool };

/** Why an enclave did not take a request; null where the pool knows no such enclave. */
export type Refusal = { readonly enclave: Enclave | null; readonly error: RelayError };

/** @returns nothing when the first enclave took it, or the second one after it; why neither did otherwise. */
export async function handOver(
  dependencies: HandOverDependencies,
  attempt: Attempt,
  turn: HeldTurn,
  first: Enclave | null,
  message: TurnAttempt,
): Promise<Refusal[]> {
  const { accountId, alternateEnclaveId, model, turnId } = attempt;
  const refused = await tryOne(dependencies, turn, first, message);
  if (refused === null) return [];
  if (alternateEnclaveId === null || !mayBeTakenByAnother(refused)) return [refused];
  const second = await dependencies.pool.find(alternateEnclaveId, { accountId, model });
  if (second === null || second === first) return [refused];
  // A process that takes over from this one asks where the request went last.
  await moveTurn(dependencies.database.db, turnId, second.id);
  const refusedToo = await tryOne(dependencies, turn, second, message);
  return refusedToo === null ? [] : [refused, refusedToo];
}

async function tryOne(
  { hub }: HandOverDependencies,
  turn: HeldTurn,
  enclave: Enclave | null,
  message: TurnAttempt,
): Promise<Refusal | null> {
  if (enclave === null) return { enclave, error: new RelayError('unknown-key') };
  try {
    await hub.handOn(turn, enclave, message.request);
    return null;
  } catch (error) {
    if (error instanceof RelayError) return { enclave, error };
    throw error;
  }
}

/**
 * Its key is not there, it is not there, or it takes nothing now. One that fell silent may have taken the request all the
 * same: two transcripts of one turn are apart, and a device shows the first that opens.
 */
function mayBeTakenByAnother({ error }: Refusal): boolean {
  return error.code === 'unknown-key' || error.code === 'enclave-busy' || isAway(error);
}
