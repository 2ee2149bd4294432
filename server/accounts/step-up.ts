import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { digestActBody } from '../../crypto/sign-in/step-up.ts';
import type {
  StepUpAct,
  StepUpProof,
  StepUpStart,
  StepUpStartAnswer,
} from '../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { AccountTable, Schema, StepUpTable } from '../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { type AttemptLimit, countAttempt, forgiveAttempt } from './attempts/login-limit.ts';
import type { BegunProof, FactorKind, ProofOf, StartOf } from './factors/factor.ts';
import { factors } from './factors/factors.ts';

/** Long enough for Argon2id on a slow phone, and for a person to be asked for a passkey. */
const lifetimeMs = 5 * 60_000;
/**
 * By whatever factor. They count apart from sign-ins: who holds a stolen access token alone keeps nobody from signing in by
 * them.
 */
const ofSession: AttemptLimit = { kind: 'step-up', limit: 10 };
const ofAccount: AttemptLimit = { kind: 'account-step-up', limit: 30 };

type Caller = { readonly accountId: string; readonly sessionId: string };

/**
 * First half of a fresh proof: whoever holds an access token has to show again that they hold a way in, for one act with one
 * body. The second half goes along with that act.
 *
 * @throws {RelayError} `bad-request`, `session-ended`, `too-many-requests`.
 */
export async function startStepUp(
  dependencies: AccountDependencies,
  caller: Caller,
  body: StepUpStart,
  nowMs: number,
): Promise<StepUpStartAnswer> {
  const account = await readOwnAccount(dependencies, caller.accountId);
  if (account === undefined) throw new RelayError('session-ended');
  const { kept, answer } = await beginProof(dependencies, account, body.factor, body);
  await countStepUp(dependencies, caller, account.name_hash, nowMs);
  const stepUp: StepUpTable = {
    id: new Uint8Array(randomBytes(16)),
    account_id: caller.accountId,
    session_id: decodeBytes(caller.sessionId),
    act: body.act,
    body_digest: decodeBytes(body.bodyDigest),
    ...kept,
    expires_at: nowMs + lifetimeMs,
  };
  await dependencies.database.db.insertInto('step_ups').values(stepUp).execute();
  return answer(encodeBytes(stepUp.id));
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
  dependencies: AccountDependencies,
  caller: Caller,
  act: StepUpAct,
  body: { readonly proof: StepUpProof },
  nowMs: number,
): Promise<(trx: Transaction<Schema>) => Promise<void>> {
  const { db } = dependencies.database;
  const { proof, ...rest } = body;
  const id = decodeBytes(proof.stepUpId);
  const stepUp = await db
    .selectFrom('step_ups')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', caller.accountId)
    .where('session_id', '=', decodeBytes(caller.sessionId))
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (stepUp === undefined) throw new RelayError('proof-failed');
  const account = await readOwnAccount(dependencies, caller.accountId);
  if (account === undefined) throw new RelayError('proof-failed');
  const { server_state, nonce, body_digest: bodyDigest } = stepUp;
  const begun = { server_state, nonce, act, bodyDigest, account };
  const isForThis = stepUp.act === act && equalBytes(bodyDigest, digestActBody(rest));
  if (!isForThis || !(await isProven(dependencies, begun, proof.factor, proof))) {
    await db.deleteFrom('step_ups').where('id', '=', id).execute();
    throw new RelayError('proof-failed');
  }
  await forgiveAttempt(dependencies.database, ofSession, stepUp.session_id);
  await forgiveAttempt(dependencies.database, ofAccount, account.name_hash);
  return async (trx) => {
    // Gone when another call was faster, or when a way in was changed meanwhile.
    const taken = await trx.deleteFrom('step_ups').where('id', '=', id).executeTakeFirst();
    if (taken.numDeletedRows !== 1n) throw new RelayError('proof-failed');
    await trx.deleteFrom('step_ups').where('account_id', '=', caller.accountId).execute();
  };
}

/** The whole row: only a factor knows which of it is its own. */
function readOwnAccount({ database }: AccountDependencies, accountId: string): Promise<AccountTable | undefined> {
  return database.db.selectFrom('accounts').selectAll().where('id', '=', accountId).executeTakeFirst();
}

function beginProof<Kind extends FactorKind>(
  dependencies: AccountDependencies,
  account: AccountTable,
  kind: Kind,
  body: StartOf[Kind],
) {
  return factors[kind].beginProof(dependencies, account, body);
}

function isProven<Kind extends FactorKind>(
  dependencies: AccountDependencies,
  begun: BegunProof,
  kind: Kind,
  proof: ProofOf[Kind],
) {
  return factors[kind].isProven(dependencies, begun, proof);
}

/** First of the session, so that a stolen token takes no attempt from other devices; then of the account, however many it has. */
async function countStepUp(
  dependencies: AccountDependencies,
  caller: Caller,
  nameHash: Bytes,
  nowMs: number,
): Promise<void> {
  await countAttempt(dependencies.database, ofSession, decodeBytes(caller.sessionId), nowMs);
  await countAttempt(dependencies.database, ofAccount, nameHash, nowMs);
}
