import type { AccountAnswer, KeysAnswer, SessionsAnswer } from '../../crypto/protocol/messages/account-messages.ts';
import { keyslotKinds } from '../../crypto/protocol/messages/account-messages.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { encodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';

/** Everything that the relay holds on the account itself. */
export async function readAccount(dependencies: AccountDependencies, accountId: string): Promise<AccountAnswer> {
  const { db } = dependencies.database;
  const account = await db
    .selectFrom('accounts')
    .select(['id', 'name_hash', 'created_at', 'used_bytes'])
    .where('id', '=', accountId)
    .executeTakeFirst();
  if (account === undefined) throw new RelayError('session-ended');
  const slots = await db
    .selectFrom('keyslots')
    .select(['slot_id', 'kind', 'body'])
    .where('account_id', '=', accountId)
    .orderBy('slot_id')
    .execute();
  return {
    format: 1,
    accountNumber: account.id,
    nameHash: encodeBytes(account.name_hash),
    createdAtMs: account.created_at,
    usedBytes: account.used_bytes,
    quotaBytes: dependencies.settings.quotaBytes,
    keyslots: slots.flatMap((slot) => {
      const kind = keyslotKinds.find((known) => known === slot.kind);
      return kind === undefined ? [] : [{ slotId: encodeBytes(slot.slot_id), kind, length: slot.body.length }];
    }),
  };
}

export async function readKeys(dependencies: AccountDependencies, accountId: string): Promise<KeysAnswer> {
  const account = await dependencies.database.db
    .selectFrom('accounts')
    .select(['keyslot_list', 'keyring'])
    .where('id', '=', accountId)
    .executeTakeFirst();
  if (account === undefined) throw new RelayError('session-ended');
  return {
    format: 1,
    keyslotList: { body: encodeBytes(account.keyslot_list) },
    keyring: account.keyring === null ? null : encodeBytes(account.keyring),
  };
}

export async function readSessions(
  dependencies: AccountDependencies,
  caller: { readonly accountId: string; readonly sessionId: string },
  nowMs: number,
): Promise<SessionsAnswer> {
  const rows = await dependencies.sessions.list(caller.accountId, nowMs);
  return {
    format: 1,
    sessions: rows.map((row) => ({
      sessionId: encodeBytes(row.id),
      createdAtMs: row.created_at,
      refreshedAtMs: row.refreshed_at,
      current: encodeBytes(row.id) === caller.sessionId,
    })),
  };
}
