import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { finishServerLogin, startServerLogin } from '../../crypto/sign-in/opaque-server.ts';
import { digestActBody, verifyStepUpSignature } from '../../crypto/sign-in/step-up.ts';
import type {
  StepUpAct,
  StepUpProof,
  StepUpStart,
  StepUpStartAnswer,
} from '../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { Schema, StepUpTable } from '../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountParts } from './sessions/account-parts.ts';
import { countAttempt, forgiveAttempt } from './attempts/login-limit.ts';
import { opaqueStep, stretchingOf } from './factors/opaque-step.ts';
import { readOwnRecord } from './factors/password.ts';

/** Long enough for Argon2id on a slow phone, and for a person to be asked for a passkey. */
const lifetimeMs = 5 * 60_000;

type Caller = { readonly accountId: string; readonly sessionId: string };

/**
 * First half of a fresh proof: whoever holds an access token has to show again that they hold a way in, for one act with one
 * body. The second half goes along with that act.
 *
 * @throws {RelayError} `bad-request`, `session-ended`, `too-many-requests`.
 */
export async function startStepUp(
  parts: AccountParts,
  caller: Caller,
  body: StepUpStart,
  nowMs: number,
): Promise<StepUpStartAnswer> {
  const account = await readOwnRecord(parts, caller.accountId);
  const login = body.factor === 'password' ? startLogin(parts, account, body.loginRequest) : null;
  await countStepUp(parts, caller, account.name_hash, nowMs);
  const nonce = login === null ? new Uint8Array(randomBytes(32)) : null;
  const stepUp: StepUpTable = {
    id: new Uint8Array(randomBytes(16)),
    account_id: caller.accountId,
    session_id: decodeBytes(caller.sessionId),
    act: body.act,
    body_digest: decodeBytes(body.bodyDigest),
    server_state: login?.state ?? null,
    nonce,
    expires_at: nowMs + lifetimeMs,
  };
  await parts.database.db.insertInto('step_ups').values(stepUp).execute();
  const stepUpId = encodeBytes(stepUp.id);
  if (login === null) {
    return { format: 1, factor: 'recovery', stepUpId, nonce: encodeBytes(nonce ?? new Uint8Array()) };
  }
  const stretching = stretchingOf(account.stretching);
  return { format: 1, factor: 'password', stepUpId, loginResponse: login.response, stretching };
}

/**
 * Second half: what comes with an act that changes ways in.
 *
 * A wrong proof uses itself up, and the session goes on.
 *
 * @param body - The act's whole message.
 * @returns what the act's own transaction has to call: it uses the proof up together with the change.
 * @throws {RelayError} `proof-failed` for a wrong, late or used one, and for that of another session, act or body.
 */
export async function demandProof(
  parts: AccountParts,
  caller: Caller,
  act: StepUpAct,
  body: { readonly proof: StepUpProof },
  nowMs: number,
): Promise<(trx: Transaction<Schema>) => Promise<void>> {
  const { db } = parts.database;
  const { proof, ...rest } = body;
  const id = decodeBytes(proof.stepUpId);
  const stepUp = await db
    .selectFrom('step_ups')
    .innerJoin('accounts', 'accounts.id', 'step_ups.account_id')
    .selectAll('step_ups')
    .select(['accounts.name_hash', 'accounts.recovery_public_key'])
    .where('step_ups.id', '=', id)
    .where('account_id', '=', caller.accountId)
    .where('session_id', '=', decodeBytes(caller.sessionId))
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (stepUp === undefined) throw new RelayError('proof-failed');
  const isForThis = stepUp.act === act && equalBytes(stepUp.body_digest, digestActBody(rest));
  if (!isForThis || !isProven(act, stepUp, proof)) {
    await db.deleteFrom('step_ups').where('id', '=', id).execute();
    throw new RelayError('proof-failed');
  }
  await forgiveAttempt(parts.database, 'step-up', stepUp.session_id);
  await forgiveAttempt(parts.database, 'account-step-up', stepUp.name_hash);
  return async (trx) => {
    // Gone when another call was faster, or when a way in was changed meanwhile.
    const taken = await trx.deleteFrom('step_ups').where('id', '=', id).executeTakeFirst();
    if (taken.numDeletedRows !== 1n) throw new RelayError('proof-failed');
    await trx.deleteFrom('step_ups').where('account_id', '=', caller.accountId).execute();
  };
}

function startLogin(
  parts: AccountParts,
  account: { readonly opaque_user_id: string; readonly opaque_setup_id: string; readonly opaque_record: string },
  request: string,
) {
  const { setup } = parts.keys.findSetup(account.opaque_setup_id);
  const { opaque_user_id: userIdentifier, opaque_record: record } = account;
  return opaqueStep(() => startServerLogin({ setup, userIdentifier, record, request }));
}

/** First of the session, so that a stolen token takes no attempt from other devices; then of the account, however many it has. */
async function countStepUp(parts: AccountParts, caller: Caller, nameHash: Bytes, nowMs: number): Promise<void> {
  await countAttempt(parts.database, 'step-up', decodeBytes(caller.sessionId), nowMs);
  await countAttempt(parts.database, 'account-step-up', nameHash, nowMs);
}

function isProven(
  act: StepUpAct,
  stepUp: StepUpTable & { readonly recovery_public_key: Bytes },
  proof: StepUpProof,
): boolean {
  const { server_state: state, nonce, body_digest: bodyDigest, recovery_public_key: publicKey } = stepUp;
  if (proof.factor === 'password') {
    return state !== null && finishServerLogin({ state, finish: proof.loginFinish }) !== null;
  }
  const signature = decodeBytes(proof.signature);
  return nonce !== null && verifyStepUpSignature({ act, nonce, bodyDigest, publicKey, signature });
}
