import type { Kysely } from 'kysely';
import type { PrunedAnswer, PrunedQuery } from '../../crypto/protocol/messages/item-messages.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { changeUsedBytes, lockAccount } from './quota.ts';

/** How long a device may be away and still be told which leaves went; after that it reads everything (SPEC.md §6.2). */
const toldForMs = 90 * 86_400_000;
/** The cost of a row. An item that is pruned gives back more. */
export const prunedOverhead = 60;
/** Rows of one step: other writers get their turn in between. */
export const prunedPerStep = 500;

/**
 * Keeps which leaves a batch prunes; the caller has locked the account.
 *
 * @returns the bytes that the account gains by it.
 */
export async function keepPruned(
  trx: Kysely<Schema>,
  ids: readonly Bytes[],
  { accountId, counter, nowMs }: { readonly accountId: string; readonly counter: number; readonly nowMs: number },
): Promise<number> {
  if (ids.length === 0) return 0;
  // An id that was pruned before, came back and goes again has one row: the newest counter tells everybody.
  const known = await trx
    .deleteFrom('pruned_items')
    .where('account_id', '=', accountId)
    .where('id', 'in', ids)
    .returning('id')
    .execute();
  const rows = ids.map((id) => ({ account_id: accountId, id, counter, pruned_at: nowMs }));
  await trx.insertInto('pruned_items').values(rows).execute();
  return (ids.length - known.length) * prunedOverhead;
}

/** A page of the leaves that were pruned after a place, in the order (head counter, id). */
export async function readPruned(db: Kysely<Schema>, accountId: string, query: PrunedQuery): Promise<PrunedAnswer> {
  const { afterCounter, afterId, limit } = query;
  const rows = await db
    .selectFrom('pruned_items')
    .select(['id', 'counter'])
    .where('account_id', '=', accountId)
    .where((row) => {
      const later = row('counter', '>', afterCounter);
      if (afterId === undefined) return later;
      return row.or([later, row.and([row('counter', '=', afterCounter), row('id', '>', decodeBytes(afterId))])]);
    })
    .orderBy('counter')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const pruned = rows.slice(0, limit).map((row) => ({ id: encodeBytes(row.id), counter: row.counter }));
  return { format: 1, pruned, more: rows.length > limit };
}

/**
 * Forgets what was pruned long ago. One step; the clock must be right.
 *
 * @param kind - Account rows are locked before others, as `writeBatch` does, so that the two cannot block each other.
 * @returns how many it forgot; fewer than a step's worth means that none is left.
 */
export async function forgetPruned(trx: Kysely<Schema>, kind: DatabaseKind, nowMs: number): Promise<number> {
  const found = await trx
    .selectFrom('pruned_items')
    .select(['account_id', 'id'])
    .where('pruned_at', '<=', nowMs - toldForMs)
    .orderBy('pruned_at')
    .limit(prunedPerStep)
    .execute();
  const idsByAccount = Map.groupBy(found, (row) => row.account_id);
  let forgotten = 0;
  for (const accountId of [...idsByAccount.keys()].toSorted()) {
    await lockAccount(trx, kind, accountId);
    const gone = await trx
      .deleteFrom('pruned_items')
      .where('account_id', '=', accountId)
      .where(
        'id',
        'in',
        (idsByAccount.get(accountId) ?? []).map((row) => row.id),
      )
      // Again: it may have been pruned once more meanwhile.
      .where('pruned_at', '<=', nowMs - toldForMs)
      .returning('id')
      .execute();
    await changeUsedBytes(trx, accountId, -gone.length * prunedOverhead);
    forgotten += gone.length;
  }
  return forgotten;
}
