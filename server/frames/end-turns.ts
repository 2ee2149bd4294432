import { type Kysely, sql } from 'kysely';
import type { TurnState } from '../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { changeUsedBytes, frameOverhead, lockAccount } from '../vault/quota.ts';

export type EndedTurn = {
  readonly turnId: Bytes;
  readonly accountId: string;
  /** The process that says so: a turn that another one has taken over meanwhile goes on there. */
  readonly owner: string;
  readonly state: Exclude<TurnState, 'running'>;
  readonly endedAtMs: number;
};

/**
 * Marks turns whose transcripts are all closed, those that still are their owners', and counts what they store against
 * their accounts.
 *
 * Locks accounts first and in order, as every writer does.
 *
 * @returns those that are not over after all: a transcript is open in the database.
 */
export async function endTurns(
  trx: Kysely<Schema>,
  kind: DatabaseKind,
  turns: readonly EndedTurn[],
): Promise<EndedTurn[]> {
  const open: EndedTurn[] = [];
  const byAccount = Map.groupBy(turns, (turn) => turn.accountId);
  for (const accountId of [...byAccount.keys()].toSorted()) {
    // With the account, its turns are gone as well.
    if (!(await accountExists(trx, accountId))) continue;
    await lockAccount(trx, kind, accountId);
    for (const turn of byAccount.get(accountId) ?? []) {
      await lockTurn(trx, kind, turn.turnId);
      if (await isOpen(trx, turn)) open.push(turn);
      else await endTurn(trx, turn);
    }
  }
  return open;
}

/** A transcript that another process is about to store is there before it is asked for open ones. */
async function lockTurn(trx: Kysely<Schema>, kind: DatabaseKind, turnId: Bytes): Promise<void> {
  if (kind !== 'postgres') return;
  await trx.selectFrom('turns').select('id').where('id', '=', turnId).forNoKeyUpdate().execute();
}

/** True if a turn that still is its owner's has an open transcript. */
async function isOpen(trx: Kysely<Schema>, { owner, turnId }: EndedTurn): Promise<boolean> {
  const row = await trx
    .selectFrom('turns')
    .innerJoin('transcripts', 'transcripts.turn_id', 'turns.id')
    .select('turns.id')
    .where('turns.id', '=', turnId)
    .where('turns.state', '=', 'running')
    .where('turns.lease_owner', '=', owner)
    .where('transcripts.closed', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

async function accountExists(trx: Kysely<Schema>, accountId: string): Promise<boolean> {
  const account = await trx.selectFrom('accounts').select('id').where('id', '=', accountId).executeTakeFirst();
  return account !== undefined;
}

async function endTurn(trx: Kysely<Schema>, turn: EndedTurn): Promise<void> {
  const { count, bytes } = await trx
    .selectFrom('frames')
    .select(({ fn }) => [fn.sum<number>('count').as('count'), fn.sum<number>(sql`length(body)`).as('bytes')])
    .where('turn_id', '=', turn.turnId)
    .executeTakeFirstOrThrow();
  const stored = Number(bytes ?? 0) + Number(count ?? 0) * frameOverhead;
  // A turn that a device finished meanwhile has nothing left to count; one with another owner has a reply to come.
  const ended = await trx
    .updateTable('turns')
    .set({ state: turn.state, ended_at: turn.endedAtMs, stored_bytes: stored, lease_owner: null, lease_until: null })
    .where('id', '=', turn.turnId)
    .where('state', '=', 'running')
    .where('lease_owner', '=', turn.owner)
    .executeTakeFirst();
  if (Number(ended.numUpdatedRows) === 0) return;
  await changeUsedBytes(trx, turn.accountId, stored);
}
