import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { KeyMaterial, KeyslotKind, KeyslotMessage } from '../../../crypto/protocol/messages/account-messages.ts';
import type { SealedHeadMessage } from '../../../crypto/protocol/messages/item-messages.ts';
import type { HeadTable, KeyslotTable, Schema } from '../../storage/tables/schema.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';

/** @throws {RelayError} `bad-request` for bytes in another spelling than the canonical one. */
export function keyslotRow(accountId: string, slot: KeyslotMessage): KeyslotTable {
  return {
    account_id: accountId,
    slot_id: decodeBytes(slot.slotId),
    kind: slot.kind,
    generation: slot.generation,
    body: decodeBytes(slot.body),
  };
}

/**
 * Puts a keyslot in the place of all others of its kind; those of other kinds stay, known to this build or not.
 *
 * @throws {RelayError} `bad-request` for a slot id that another kind has.
 */
export async function replaceKeyslot(trx: Transaction<Schema>, slot: KeyslotTable): Promise<void> {
  const { account_id: accountId, slot_id: slotId, kind } = slot;
  // The one that is replaced may keep its slot id.
  await trx.deleteFrom('keyslots').where('account_id', '=', accountId).where('kind', '=', kind).execute();
  const other = await trx
    .selectFrom('keyslots')
    .select('kind')
    .where('account_id', '=', accountId)
    .where('slot_id', '=', slotId)
    .executeTakeFirst();
  if (other !== undefined) throw new RelayError('bad-request');
  await trx.insertInto('keyslots').values(slot).execute();
}

export function headRow(accountId: string, head: SealedHeadMessage, nowMs: number): HeadTable {
  const body = decodeBytes(head.body);
  const hash = new Uint8Array(createHash('sha256').update(body).digest());
  return { account_id: accountId, counter: head.counter, body, hash, stored_at: nowMs };
}

/**
 * Reads what a device needs to open the vault, with the keyslot of one kind. All of one moment: call it in a transaction.
 *
 * @returns null when the account has no such keyslot.
 */
export async function readKeyMaterial(
  trx: Kysely<Schema>,
  accountId: string,
  kind: KeyslotKind,
): Promise<KeyMaterial | null> {
  const row = await trx
    .selectFrom('accounts')
    .innerJoin('keyslots', 'keyslots.account_id', 'accounts.id')
    .innerJoin('heads', (join) =>
      join.onRef('heads.account_id', '=', 'accounts.id').onRef('heads.counter', '=', 'accounts.head_counter'),
    )
    .select(['accounts.keyslot_list', 'accounts.keyring', 'keyslots.slot_id', 'keyslots.generation'])
    .select(['keyslots.body as keyslot_body', 'heads.counter', 'heads.body as head_body'])
    .where('accounts.id', '=', accountId)
    .where('keyslots.kind', '=', kind)
    .orderBy('keyslots.generation', 'desc')
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    keyslot: {
      slotId: encodeBytes(row.slot_id),
      kind,
      generation: row.generation,
      body: encodeBytes(row.keyslot_body),
    },
    keyslotList: { body: encodeBytes(row.keyslot_list) },
    keyring: row.keyring === null ? null : encodeBytes(row.keyring),
    head: { counter: row.counter, body: encodeBytes(row.head_body) },
  };
}
