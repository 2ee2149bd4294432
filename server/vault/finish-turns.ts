import type { Kysely } from 'kysely';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Schema } from '../storage/tables/schema.ts';

/**
 * Deletes the transcripts of turns that a compact item replaces or whose conversation is gone. The row of the turn
 * stays: what the relay knows of it is shown to its owner.
 *
 * Turns that are not this account's are passed over in silence, as are those that another device finished before.
 *
 * @returns the bytes that the account no longer uses.
 */
export async function finishTurns(
  trx: Kysely<Schema>,
  accountId: string,
  turnIds: readonly Bytes[],
  nowMs: number,
): Promise<number> {
  if (turnIds.length === 0) return 0;
  const turns = await trx
    .selectFrom('turns')
    .select(['id', 'state', 'stored_bytes'])
    .where('account_id', '=', accountId)
    .where('id', 'in', turnIds)
    .execute();
  if (turns.length === 0) return 0;
  const ids = turns.map((turn) => turn.id);
  // First, as it locks the turns: another process may be about to store a transcript of one.
  await trx.updateTable('turns').set({ stored_bytes: 0 }).where('id', 'in', ids).execute();
  await trx
    .updateTable('turns')
    .set({ state: 'ended', ended_at: nowMs, lease_owner: null, lease_until: null })
    .where('id', 'in', ids)
    .where('state', '=', 'running')
    .execute();
  await trx.deleteFrom('frames').where('turn_id', 'in', ids).execute();
  await trx.deleteFrom('transcripts').where('turn_id', 'in', ids).execute();
  return turns.reduce((sum, turn) => sum + turn.stored_bytes, 0);
}
