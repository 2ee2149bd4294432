import type { Kysely } from 'kysely';
import type { DatabaseKind } from '../../storage/tables/column-types.ts';
import type { Schema } from '../../storage/tables/schema.ts';
import { changeUsedBytes, lockAccount } from '../../vault/quota.ts';

const keptMs = 86_400_000;
export const turnsPerStep = 200;

/**
 * Deletes turns without items a day after their end: nobody can open them once the page that asked is closed.
 *
 * @returns how many; fewer than a step's worth means that none is left.
 */
export async function dropTemporaryTurns(trx: Kysely<Schema>, kind: DatabaseKind, nowMs: number): Promise<number> {
  const found = await trx
    .selectFrom('turns')
    .select(['id', 'account_id'])
    .where('temporary', '=', 1)
    .where('state', '<>', 'running')
    .where('ended_at', '<', nowMs - keptMs)
    .limit(turnsPerStep)
    .execute();
  const byAccount = Map.groupBy(found, (turn) => turn.account_id);
  for (const accountId of [...byAccount.keys()].toSorted()) {
    const ids = (byAccount.get(accountId) ?? []).map((turn) => turn.id);
    await lockAccount(trx, kind, accountId);
    await trx.deleteFrom('frames').where('turn_id', 'in', ids).execute();
    const dropped = await trx.deleteFrom('turns').where('id', 'in', ids).returning('stored_bytes').execute();
    await changeUsedBytes(trx, accountId, -dropped.reduce((sum, turn) => sum + turn.stored_bytes, 0));
  }
  return found.length;
}
