import * as v from 'valibot';
import { answerRegistration } from '../../crypto/sign-in/opaque-server.ts';
import type { PasswordFinish, PasswordStartAnswer } from '../../crypto/protocol/messages/account-messages.ts';
import { idField } from '../../crypto/protocol/messages/fields.ts';
import type { BatchAnswer } from '../../crypto/protocol/messages/item-messages.ts';
import { equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { headBytes, lockAccount } from '../vault/quota.ts';
import { decodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { headRow, keyslotRow, replaceKeyslot } from './keyslots/keyslots.ts';
import { factors } from './factors/factors.ts';
import { opaqueStep } from './factors/opaque-step.ts';
import { demandProof } from './step-up.ts';

const lifetimeMs = 30 * 60_000;
const claimsSchema = v.object({ sid: idField, setup: idField });

type Caller = { readonly accountId: string; readonly sessionId: string };

/** @throws {RelayError} `bad-request`, `session-ended`. */
export async function startPasswordChange(
  dependencies: AccountDependencies,
  caller: Caller,
  registrationRequest: string,
  nowMs: number,
): Promise<PasswordStartAnswer> {
  const account = await dependencies.database.db
    .selectFrom('accounts')
    .select('opaque_user_id')
    .where('id', '=', caller.accountId)
    .executeTakeFirst();
  if (account === undefined) throw new RelayError('session-ended');
  const setup = dependencies.keys.newestSetup;
  const registrationResponse = opaqueStep(() =>
    answerRegistration({ setup: setup.setup, userIdentifier: account.opaque_user_id, request: registrationRequest }),
  );
  const claims = { sid: caller.sessionId, setup: setup.id };
  const passwordToken = await dependencies.signer.sign('password', claims, nowMs, lifetimeMs);
  return { format: 1, passwordToken, registrationResponse };
}

/**
 * OPAQUE record, keyslot, keyslot list and head change in one transaction, and every other session ends with it.
 *
 * @throws {RelayError} `proof-failed`, and `head-conflict`, with nothing changed; `bad-request`.
 */
export async function finishPasswordChange(
  dependencies: AccountDependencies,
  caller: Caller,
  body: PasswordFinish,
  nowMs: number,
): Promise<BatchAnswer> {
  const { database, sessions, feed } = dependencies;
  const { accountId } = caller;
  const claims = await dependencies.signer.demand('password', body.passwordToken, claimsSchema, nowMs);
  if (claims.sid !== caller.sessionId || body.keyslot.kind !== factors.password.keyslot) {
    throw new RelayError('bad-request');
  }
  const slot = keyslotRow(accountId, body.keyslot);
  const head = headRow(accountId, body.head, nowMs);
  const expectedHead = decodeBytes(body.expectedHead);
  const keyslotList = decodeBytes(body.keyslotList.body);
  const useProof = await demandProof(dependencies, caller, 'change-password', body, nowMs);
  const ended = await database.write(async (trx) => {
    const account = await lockAccount(trx, database.kind, accountId);
    if (!equalBytes(account.head_hash, expectedHead) || head.counter !== account.head_counter + 1) {
      throw new RelayError('head-conflict');
    }
    await useProof(trx);
    await replaceKeyslot(trx, slot);
    await trx.insertInto('heads').values(head).execute();
    await trx
      .updateTable('accounts')
      .set({
        opaque_setup_id: claims.setup,
        opaque_record: body.registrationRecord,
        stretching: body.stretching,
        keyslot_list: keyslotList,
        head_counter: head.counter,
        head_hash: head.hash,
        used_bytes: account.used_bytes + headBytes(head.body),
      })
      .where('id', '=', accountId)
      .execute();
    // A sign-in that began with the old password does not get through.
    for (const table of factors.password.attempts) {
      await trx.deleteFrom(table).where('account_id', '=', accountId).execute();
    }
    return sessions.endOthers(trx, accountId, decodeBytes(caller.sessionId));
  });
  sessions.forget(ended);
  feed.publish({ kind: 'newer', accountId });
  return { format: 1, counter: head.counter };
}
