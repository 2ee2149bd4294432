import type { Kysely } from 'kysely';
import { tombstoneFlag } from '../../crypto/protocol/messages/item-messages.ts';
import { type Bytes, equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { ItemTable, Schema } from '../storage/tables/schema.ts';
import type { StorageSpace } from '../storage/trouble/storage-space.ts';
import { isPrunable } from './expiry.ts';
import { finishTurns } from './finish-turns.ts';
import type { ParsedBatch, ParsedItem } from './parse-batch.ts';
import { headBytes, itemOverhead, lockAccount } from './quota.ts';
import { keepPruned } from './pruned-items.ts';
import { encodeBytes } from '../api/route/wire-bytes.ts';

export type BatchContext = {
  readonly kind: DatabaseKind;
  readonly accountId: string;
  /** The turn that these items begin, if they came with one. */
  readonly turnId: Bytes | null;
  readonly nowMs: number;
  /** By which leaves may be pruned: a clock that is behind does not refuse what is due. */
  readonly latestMs: number;
  readonly quotaBytes: number;
  readonly space: Pick<StorageSpace, 'requireRoom'>;
};

/** `repeated`: this very batch was stored before and its answer was lost. */
export type StoredBatch = { readonly counter: number; readonly repeated: boolean };

type StoredItem = Pick<ItemTable, 'id' | 'version' | 'flags' | 'expires_at' | 'length'> & { readonly kept: number };

/** Rows of one insert: eleven parameters each, far below the limit of either database. */
const rowsPerInsert = 200;

/**
 * Stores a batch as the successor of the account's head: everything or nothing, for the caller's transaction decides.
 *
 * @throws {RelayError} `head-conflict` when another batch came first, `item-conflict` when an item is not where the
 *   batch believes it to be, `quota-exceeded`, `storage-full`.
 */
export async function writeBatch(trx: Kysely<Schema>, batch: ParsedBatch, context: BatchContext): Promise<StoredBatch> {
  const { accountId } = context;
  const account = await lockAccount(trx, context.kind, accountId);
  const follows = equalBytes(account.head_hash, batch.expectedHead) && batch.head.counter === account.head_counter + 1;
  if (!follows) {
    if (await wasStored(trx, batch, accountId)) return { counter: batch.head.counter, repeated: true };
    throw new RelayError('head-conflict');
  }
  const stored = await loadItems(trx, accountId, [...batch.items.map((item) => item.id), ...batch.prune]);
  let delta = headBytes(batch.head.body);
  for (const item of batch.items) delta += checkSuccessor(item, stored.get(item.key));
  for (const id of batch.prune) delta += checkPrunable(stored.get(encodeBytes(id)), context.latestMs);
  delta -= await finishTurns(trx, accountId, batch.finishTurns, context.nowMs);
  // A change that shrinks the vault is always taken, so that a full one can be emptied.
  if (delta > 0 && account.used_bytes + delta > context.quotaBytes) throw new RelayError('quota-exceeded');
  if (delta > 0) context.space.requireRoom(incomingBytes(batch));

  await storeItems(trx, batch, context);
  const { counter, body, hash } = batch.head;
  if (batch.prune.length > 0) {
    await trx.deleteFrom('items').where('account_id', '=', accountId).where('id', 'in', batch.prune).execute();
    delta += await keepPruned(trx, batch.prune, { accountId, counter, nowMs: context.nowMs });
  }
  await trx
    .insertInto('heads')
    .values({ account_id: accountId, counter, body, hash, stored_at: context.nowMs })
    .execute();
  await trx
    .updateTable('accounts')
    .set({ head_counter: counter, head_hash: hash, used_bytes: Math.max(0, account.used_bytes + delta) })
    .where('id', '=', accountId)
    .execute();
  return { counter, repeated: false };
}

/** The bytes that are written, also where they take the place of others. */
function incomingBytes(batch: ParsedBatch): number {
  return batch.items.reduce((sum, item) => sum + item.body.length + itemOverhead, headBytes(batch.head.body));
}

/** A sealed head is random bytes: the same one at the same counter is the same batch. */
async function wasStored(trx: Kysely<Schema>, batch: ParsedBatch, accountId: string): Promise<boolean> {
  const head = await trx
    .selectFrom('heads')
    .select('hash')
    .where('account_id', '=', accountId)
    .where('counter', '=', batch.head.counter)
    .executeTakeFirst();
  return head !== undefined && equalBytes(head.hash, batch.head.hash);
}

async function loadItems(
  trx: Kysely<Schema>,
  accountId: string,
  ids: readonly Bytes[],
): Promise<Map<string, StoredItem>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom('items')
    .select(['id', 'version', 'flags', 'expires_at', 'length'])
    .select((expression) =>
      expression.case().when('body', 'is', null).then(0).else(1).end().$castTo<number>().as('kept'),
    )
    .where('account_id', '=', accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [encodeBytes(row.id), row]));
}

/** @returns the bytes that the account gains. */
function checkSuccessor(item: ParsedItem, stored: StoredItem | undefined): number {
  if (stored === undefined) {
    if (item.version !== 1) throw new RelayError('item-conflict');
    return item.body.length + itemOverhead;
  }
  // A tombstone is the end of an item: nothing brings it back (M20).
  const isDeleted = (stored.flags & tombstoneFlag) !== 0;
  if (isDeleted || item.version !== stored.version + 1) throw new RelayError('item-conflict');
  return item.body.length - (stored.kept === 1 ? stored.length : 0);
}

/** @returns the bytes that the account gains: none or fewer. */
function checkPrunable(stored: StoredItem | undefined, nowMs: number): number {
  if (stored === undefined) throw new RelayError('item-conflict');
  const isDeleted = (stored.flags & tombstoneFlag) !== 0;
  if (!isDeleted && !isPrunable(stored.expires_at, nowMs)) throw new RelayError('item-conflict');
  return -itemOverhead - (stored.kept === 1 ? stored.length : 0);
}

async function storeItems(trx: Kysely<Schema>, batch: ParsedBatch, context: BatchContext): Promise<void> {
  const rows = batch.items.map((item): ItemTable => ({
    account_id: context.accountId,
    id: item.id,
    version: item.version,
    expires_at: item.expiresAt,
    flags: item.flags,
    counter: batch.head.counter,
    stored_at: context.nowMs,
    turn_id: context.turnId,
    length: item.body.length,
    body_hash: item.bodyHash,
    body: item.body,
  }));
  for (let start = 0; start < rows.length; start += rowsPerInsert) {
    await trx
      .insertInto('items')
      .values(rows.slice(start, start + rowsPerInsert))
      .onConflict((conflict) =>
        conflict.columns(['account_id', 'id']).doUpdateSet((expression) => ({
          version: expression.ref('excluded.version'),
          expires_at: expression.ref('excluded.expires_at'),
          flags: expression.ref('excluded.flags'),
          counter: expression.ref('excluded.counter'),
          stored_at: expression.ref('excluded.stored_at'),
          turn_id: expression.ref('excluded.turn_id'),
          length: expression.ref('excluded.length'),
          body_hash: expression.ref('excluded.body_hash'),
          body: expression.ref('excluded.body'),
        })),
      )
      .execute();
  }
}
