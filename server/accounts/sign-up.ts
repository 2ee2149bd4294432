import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { answerRegistration } from '../../crypto/sign-in/opaque-server.ts';
import type {
  SessionAnswer,
  SignUpFinish,
  SignUpStart,
  SignUpStartAnswer,
} from '../../crypto/protocol/messages/account-messages.ts';
import { hashField, idField } from '../../crypto/protocol/messages/fields.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { isDuplicate } from '../storage/tables/database.ts';
import type { SessionTable } from '../storage/tables/schema.ts';
import { headBytes } from '../vault/quota.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { headRow, keyslotRow } from './keyslots/keyslots.ts';
import { rememberDevice } from './attempts/known-device.ts';
import { firstKeyslots } from './factors/factors.ts';
import { opaqueStep } from './factors/opaque-step.ts';
import type { StartedSession } from './sessions/sessions.ts';

const lifetimeMs = 30 * 60_000;
/** Record, keyslots, head and the places in their indexes. */
const accountBytes = 16_384;
const claimsSchema = v.object({ name: hashField, uid: v.pipe(v.string(), v.uuid()), setup: idField });

/** @throws {RelayError} `sign-up-closed`, `storage-full`, `name-taken`, `bad-request`. */
export async function startSignUp(
  dependencies: AccountDependencies,
  body: SignUpStart,
  nowMs: number,
): Promise<SignUpStartAnswer> {
  refuseNewAccounts(dependencies);
  const nameHash = dependencies.keys.hashName(decodeBytes(body.nameTag));
  const setup = dependencies.keys.newestSetup;
  const userId = randomUUID();
  const registrationResponse = opaqueStep(() =>
    answerRegistration({ setup: setup.setup, userIdentifier: userId, request: body.registrationRequest }),
  );
  const taken = await dependencies.database.db
    .selectFrom('accounts')
    .select('id')
    .where('name_hash', '=', nameHash)
    .executeTakeFirst();
  if (taken !== undefined) throw new RelayError('name-taken');
  const claims = { name: encodeBytes(nameHash), uid: userId, setup: setup.id };
  const signUpToken = await dependencies.signer.sign('sign-up', claims, nowMs, lifetimeMs);
  return { format: 1, signUpToken, registrationResponse };
}

/**
 * Stores the account with its keyslots and first head, all or nothing, and begins its first session.
 *
 * @throws {RelayError} `name-taken` when somebody else was faster; the same call again, after a lost answer, succeeds.
 */
export async function finishSignUp(
  dependencies: AccountDependencies,
  body: SignUpFinish,
  device: string | null,
  nowMs: number,
): Promise<StartedSession & { readonly answer: SessionAnswer; readonly device: string }> {
  refuseNewAccounts(dependencies);
  const claims = await dependencies.signer.demand('sign-up', body.signUpToken, claimsSchema, nowMs);
  const accountId = randomUUID();
  const slots = body.keyslots.map((slot) => keyslotRow(accountId, slot));
  const kinds = body.keyslots.map((slot) => slot.kind).toSorted();
  const slotIds = new Set(body.keyslots.map((slot) => slot.slotId));
  const areFirst = kinds.join() === firstKeyslots.join() && slotIds.size === firstKeyslots.length;
  if (!areFirst || body.head.counter !== 1) {
    throw new RelayError('bad-request');
  }
  const head = headRow(accountId, body.head, nowMs);
  const account = {
    id: accountId,
    name_hash: decodeBytes(claims.name),
    opaque_user_id: claims.uid,
    opaque_setup_id: claims.setup,
    opaque_record: body.registrationRecord,
    stretching: body.stretching,
    recovery_public_key: decodeBytes(body.recoveryPublicKey),
    keyslot_list: decodeBytes(body.keyslotList.body),
    keyring: null,
    head_counter: 1,
    head_hash: head.hash,
    used_bytes: headBytes(head.body),
    created_at: nowMs,
  };
  let session: SessionTable;
  try {
    session = await dependencies.database.write(async (trx) => {
      await trx.insertInto('accounts').values(account).execute();
      await trx.insertInto('keyslots').values(slots).execute();
      await trx.insertInto('heads').values(head).execute();
      return dependencies.sessions.create(trx, accountId, nowMs);
    });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    session = await beginRepeated(dependencies, account, nowMs);
  }
  const started = await dependencies.sessions.start(session, nowMs);
  return { ...started, device: rememberDevice(dependencies.keys, device, account.name_hash, nowMs) };
}

function refuseNewAccounts(dependencies: AccountDependencies): void {
  if (dependencies.settings.signUp === 'closed') throw new RelayError('sign-up-closed');
  dependencies.database.space.requireRoom(accountBytes);
}

/** The record is known to the client that made it alone: with the token of the same sign-up, this is that client again. */
async function beginRepeated(
  dependencies: AccountDependencies,
  account: { readonly opaque_user_id: string; readonly opaque_record: string },
  nowMs: number,
): Promise<SessionTable> {
  return dependencies.database.write(async (trx) => {
    const same = await trx
      .selectFrom('accounts')
      .select('id')
      .where('opaque_user_id', '=', account.opaque_user_id)
      .where('opaque_record', '=', account.opaque_record)
      .executeTakeFirst();
    if (same === undefined) throw new RelayError('name-taken');
    return dependencies.sessions.create(trx, same.id, nowMs);
  });
}
