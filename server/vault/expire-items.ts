import type { Kysely } from 'kysely';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { lastDroppedDay } from './expiry.ts';
import { changeUsedBytes, lockAccount } from './quota.ts';

/** Items of one step: other writers get their turn in between. */
export const itemsPerStep = 500;

/**
 * Drops the bodies of items that expired and keeps their leaves, which only clients prune (SPEC.md §6).
 *
 * @param kind - Account rows are locked before item rows, as `writeBatch` does, so that the two cannot block each other.
 * @returns how many it dropped; fewer than a step's worth means that none is left.
 */
export async function expireItems(trx: Kysely<Schema>, kind: DatabaseKind, nowMs: number): Promise<number> {
  const lastDay = lastDroppedDay(nowMs);
  const found = await trx
    .selectFrom('items')
    .select(['account_id', 'id'])
    .where('expires_at', '>', 0)
    .where('expires_at', '<=', lastDay)
    .where('body', 'is not', null)
    // A tombstone's empty body is no body to drop.
    .where('length', '>', 0)
    .orderBy('expires_at')
    .limit(itemsPerStep)
    .execute();
  const idsByAccount = Map.groupBy(found, (item) => item.account_id);
  let dropped = 0;
  for (const accountId of [...idsByAccount.keys()].toSorted()) {
    const ids = (idsByAccount.get(accountId) ?? []).map((item) => item.id);
    await lockAccount(trx, kind, accountId);
    const rows = await trx
      .updateTable('items')
      .set({ body: null })
      .where('account_id', '=', accountId)
      .where('id', 'in', ids)
      // Again: a client may have written a newer version meanwhile.
      .where('expires_at', '>', 0)
      .where('expires_at', '<=', lastDay)
      .where('body', 'is not', null)
      .where('length', '>', 0)
      .returning('length')
      .execute();
    const freed = rows.reduce((sum, row) => sum + row.length, 0);
    await changeUsedBytes(trx, accountId, -freed);
    dropped += rows.length;
  }
  return dropped;
}
