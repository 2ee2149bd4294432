import { randomBytes } from 'node:crypto';
import { finishServerLogin, startServerLogin } from '../../../crypto/sign-in/opaque-server.ts';
import {
  signInAnswer,
  signInFinish,
  type SignInFinish,
  signInStart,
  type SignInStart,
  type SignInStartAnswer,
  signInStartAnswer,
  stretchingProfiles,
  unlockStart,
} from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { type Answer, answer, defineRoute, type Route, type Session } from '../../api/route/route.ts';
import type { AccountTable, LoginAttemptTable } from '../../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';
import type { AccountDependencies } from '../sessions/account-dependencies.ts';
import { attemptSubject } from '../attempts/known-device.ts';
import { type AttemptLimit, countAttempt } from '../attempts/login-limit.ts';
import { openSession } from '../keyslots/open-session.ts';
import type { Factor } from './factor.ts';
import { opaqueStep, stretchingOf } from './opaque-step.ts';

/** From the relay's answer to the client's: long enough for Argon2id on a slow phone. */
const attemptLifetimeMs = 60_000;
const signInLimit: AttemptLimit = { kind: 'sign-in', limit: 30 };
const unlockLimit: AttemptLimit = { kind: 'unlock', limit: 30 };

const keyslot = 'password';
const recordColumns = ['id', 'opaque_user_id', 'opaque_setup_id', 'opaque_record', 'stretching'] as const;
type OpaqueRecord = Pick<AccountTable, (typeof recordColumns)[number]>;

/** OPAQUE (SPEC.md §3.2): signs in, unlocks a session whose keys are gone from memory, and proves anew. */
export const password: Factor<'password'> = {
  kind: 'password',
  keyslot,
  comesWithAccount: true,
  attempts: ['login_attempts'],
  limits: [signInLimit, unlockLimit],
  routes,

  async beginProof(dependencies, account, { loginRequest }) {
    const { state, response: loginResponse } = beginLogin(dependencies, account, account.opaque_user_id, loginRequest);
    const stretching = stretchingOf(account.stretching);
    return {
      kept: { server_state: state, nonce: null },
      answer: (stepUpId) => ({ format: 1, factor: 'password', stepUpId, loginResponse, stretching }),
    };
  },

  async isProven(_dependencies, { server_state: state }, { loginFinish: finish }) {
    return state !== null && finishServerLogin({ state, finish }) !== null;
  },
};

function routes(dependencies: AccountDependencies): readonly Route[] {
  return [
    defineRoute({
      name: 'startSignIn',
      summary: 'OPAQUE login, first half; unknown names are answered alike. Counted by name, or by the device cookie.',
      method: 'POST',
      url: '/v1/sign-in/start',
      access: 'public',
      body: signInStart,
      answers: { 200: signInStartAnswer },
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => answer(await startSignIn(dependencies, body, device, nowMs)),
    }),
    defineRoute({
      name: 'finishSignIn',
      summary: 'OPAQUE login, second half, for sign-in and unlock: keyslot and session.',
      method: 'POST',
      url: '/v1/sign-in/finish',
      access: 'public',
      body: signInFinish,
      answers: { 200: signInAnswer },
      errors: ['sign-in-failed'],
      limits: ['sign-in'],
      handle: ({ body, device, nowMs }) => finishSignIn(dependencies, body, device, nowMs),
    }),
    defineRoute({
      name: 'startUnlock',
      summary: 'OPAQUE login for the account of this session, first half.',
      method: 'POST',
      url: '/v1/unlock/start',
      access: 'session',
      body: unlockStart,
      answers: { 200: signInStartAnswer },
      limits: ['sign-in'],
      handle: async ({ session, body, nowMs }) =>
        answer(await startUnlock(dependencies, session, body.loginRequest, nowMs)),
    }),
  ];
}

/**
 * First half of a sign-in. A name that nobody has goes the same way, with an invented user id and no record. OPAQUE then
 * answers as if there were one (RFC 9807 §10.9), and the attempt fails at its end like a wrong password (M12).
 *
 * @throws {RelayError} `bad-request`, `too-many-requests`.
 */
async function startSignIn(
  dependencies: AccountDependencies,
  body: SignInStart,
  device: string | null,
  nowMs: number,
): Promise<SignInStartAnswer> {
  const nameTag = decodeBytes(body.nameTag);
  const nameHash = dependencies.keys.hashName(nameTag);
  const inventedUserId = dependencies.keys.inventUserId(nameTag);
  const record = await dependencies.database.db
    .selectFrom('accounts')
    .select(recordColumns)
    .where('name_hash', '=', nameHash)
    .executeTakeFirst();
  const subject = attemptSubject(dependencies.keys, device, nameHash, nowMs);
  const who = { record: record ?? null, limit: signInLimit, subject, inventedUserId, sessionId: null };
  return startAttempt(dependencies, who, body.loginRequest, nowMs);
}

/** The same for the account of a session whose keys are gone from memory. It counts for itself: strangers have none. */
async function startUnlock(
  dependencies: AccountDependencies,
  session: Session,
  loginRequest: string,
  nowMs: number,
): Promise<SignInStartAnswer> {
  const record = await dependencies.database.db
    .selectFrom('accounts')
    .select(recordColumns)
    .where('id', '=', session.accountId)
    .executeTakeFirst();
  if (record === undefined) throw new RelayError('session-ended');
  const sessionId = decodeBytes(session.sessionId);
  const { opaque_user_id: inventedUserId } = record;
  const who = { record, limit: unlockLimit, subject: sessionId, inventedUserId, sessionId };
  return startAttempt(dependencies, who, loginRequest, nowMs);
}

async function startAttempt(
  dependencies: AccountDependencies,
  who: {
    readonly record: OpaqueRecord | null;
    readonly limit: AttemptLimit;
    readonly subject: Bytes;
    readonly inventedUserId: string;
    readonly sessionId: Bytes | null;
  },
  loginRequest: string,
  nowMs: number,
): Promise<SignInStartAnswer> {
  const { record, subject } = who;
  const { state, response } = beginLogin(dependencies, record, who.inventedUserId, loginRequest);
  // A body that is no message of OPAQUE tests no password, so it takes no attempt from the owner of the name.
  await countAttempt(dependencies.database, who.limit, subject, nowMs);
  const attempt: LoginAttemptTable = {
    id: new Uint8Array(randomBytes(16)),
    account_id: record?.id ?? null,
    session_id: who.sessionId,
    server_state: state,
    counted_as: subject,
    expires_at: nowMs + attemptLifetimeMs,
  };
  await dependencies.database.db.insertInto('login_attempts').values(attempt).execute();
  const stretching = stretchingOf(record?.stretching ?? stretchingProfiles[stretchingProfiles.length - 1]);
  return { format: 1, loginId: encodeBytes(attempt.id), loginResponse: response, stretching };
}

/** OPAQUE's first answer, for a record or for none. @throws {RelayError} `bad-request`. */
function beginLogin(
  dependencies: AccountDependencies,
  record: OpaqueRecord | null,
  inventedUserId: string,
  request: string,
) {
  const { setup } =
    record === null ? dependencies.keys.firstSetup : dependencies.keys.findSetup(record.opaque_setup_id);
  const userIdentifier = record?.opaque_user_id ?? inventedUserId;
  return opaqueStep(() => startServerLogin({ setup, userIdentifier, record: record?.opaque_record ?? null, request }));
}

/**
 * Second half, for sign-in and unlock: who has shown to know the password gets the keyslot and a session.
 *
 * @throws {RelayError} `sign-in-failed` for a wrong password, an unknown name and an attempt that is over, alike.
 */
async function finishSignIn(
  dependencies: AccountDependencies,
  body: SignInFinish,
  device: string | null,
  nowMs: number,
): Promise<Answer> {
  const row = await dependencies.database.db
    .selectFrom('login_attempts')
    .selectAll()
    .where('id', '=', decodeBytes(body.loginId))
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (row === undefined) throw new RelayError('sign-in-failed');
  const isProven = finishServerLogin({ state: row.server_state, finish: body.loginFinish }) !== null;
  const unlocked = row.session_id;
  const counted = unlocked === null ? signInLimit : unlockLimit;
  return openSession(
    dependencies,
    { table: 'login_attempts', row, isProven, keyslot, unlocked, counted, device },
    nowMs,
  );
}
