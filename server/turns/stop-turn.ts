import { sql } from 'kysely';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Pool } from '../pools/pool.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { Database } from '../storage/tables/database.ts';
import { encodeBytes } from '../api/route/wire-bytes.ts';
import { requireTurn } from './rows/turn-rows.ts';

const maximumCountedStops = 1000;

/**
 * Passes the stop token on to every enclave that was asked to answer this turn; whether it fits is theirs to say.
 *
 * @throws {RelayError} `not-found`, or that no enclave could be told.
 */
export async function stopTurn(
  dependencies: { readonly database: Database; readonly pool: Pool },
  accountId: string,
  turnId: Bytes,
  stopToken: string,
): Promise<void> {
  const { db } = dependencies.database;
  const turn = await requireTurn(db, accountId, turnId);
  await db
    .updateTable('turns')
    .set({ stops: sql<number>`stops + 1` })
    .where('id', '=', turnId)
    .where('stops', '<', maximumCountedStops)
    .execute();
  if (turn.state !== 'running') return;
  const attempts = await db
    .selectFrom('turn_attempts')
    .select(['enclave_id', 'alternate_enclave_id'])
    .where('turn_id', '=', turnId)
    .execute();
  const asked = new Set(
    attempts.flatMap((row) => [row.enclave_id, row.alternate_enclave_id]).filter((id) => id !== null),
  );
  const place = { accountId, model: turn.model };
  const told = await Promise.allSettled(
    [...asked].map(async (enclaveId) => {
      const enclave = await dependencies.pool.find(enclaveId, place);
      if (enclave === null) throw new RelayError('enclave-unreachable');
      await enclave.stopTurn(encodeBytes(turnId), stopToken);
    }),
  );
  if (!told.some((result) => result.status === 'fulfilled')) throw new RelayError('enclave-unreachable');
}
