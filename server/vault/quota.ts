import { type Kysely, sql } from 'kysely';
import { RelayError } from '../api/route/relay-error.ts';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { AccountTable, Schema } from '../storage/tables/schema.ts';

export type LockedAccount = Pick<AccountTable, 'head_counter' | 'head_hash' | 'used_bytes'>;

/** The cost of an item's row beside its body: an account of a million empty items must not be free. */
export const itemOverhead = 200;
/** A frame's part of its row beside the sealed frame. */
export const frameOverhead = 10;

/** The cost of a head; the chain is kept, since devices follow it (SPEC.md §6). */
export function headBytes(body: Uint8Array): number {
  return body.length + 80;
}

/**
 * Reads an account's row and holds it until the transaction ends. Every writer takes accounts first, in the order of
 * their ids, so that no two can wait for each other.
 *
 * @throws {RelayError} `session-ended` when the account is gone.
 */
export async function lockAccount(trx: Kysely<Schema>, kind: DatabaseKind, accountId: string): Promise<LockedAccount> {
  const account = await trx
    .selectFrom('accounts')
    .select(['head_counter', 'head_hash', 'used_bytes'])
    .where('id', '=', accountId)
    // SQLite's transaction already holds the only write lock.
    .$if(kind === 'postgres', (query) => query.forUpdate())
    .executeTakeFirst();
  if (account === undefined) throw new RelayError('session-ended');
  return account;
}

/** Counts bytes that are gone, or that came, against an account that is locked. */
export async function changeUsedBytes(trx: Kysely<Schema>, accountId: string, delta: number): Promise<void> {
  if (delta === 0) return;
  await trx
    .updateTable('accounts')
    .set({ used_bytes: sql<number>`used_bytes + ${delta}` })
    .where('id', '=', accountId)
    .execute();
}
