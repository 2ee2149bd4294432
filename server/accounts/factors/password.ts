import { randomBytes } from 'node:crypto';
import { finishServerLogin, startServerLogin } from '../../../crypto/sign-in/opaque-server.ts';
import {
  type SignInFinish,
  type SignInStart,
  type SignInStartAnswer,
  stretchingProfiles,
} from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { AccountTable, LoginAttemptTable } from '../../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';
import type { AccountParts } from '../sessions/account-parts.ts';
import { attemptSubject } from '../attempts/known-device.ts';
import { countAttempt } from '../attempts/login-limit.ts';
import { openSession, type SignedIn } from '../keyslots/open-session.ts';
import { opaqueStep, stretchingOf } from './opaque-step.ts';

/** From the relay's answer to the client's: long enough for Argon2id on a slow phone. */
const attemptLifetimeMs = 60_000;

type OpaqueRecord = Pick<AccountTable, 'id' | 'opaque_user_id' | 'opaque_setup_id' | 'opaque_record' | 'stretching'>;

/**
 * First half of a sign-in. A name that nobody has goes the same way, with an invented user id and no record. OPAQUE then
 * answers as if there were one (RFC 9807 §10.9), and the attempt fails at its end like a wrong password (M12).
 *
 * @throws {RelayError} `bad-request`, `too-many-requests`.
 */
export async function startSignIn(
  parts: AccountParts,
  body: SignInStart,
  device: string | null,
  nowMs: number,
): Promise<SignInStartAnswer> {
  const nameTag = decodeBytes(body.nameTag);
  const nameHash = parts.keys.hashName(nameTag);
  const inventedUserId = parts.keys.inventUserId(nameTag);
  const record = await parts.database.db
    .selectFrom('accounts')
    .select(['id', 'opaque_user_id', 'opaque_setup_id', 'opaque_record', 'stretching'])
    .where('name_hash', '=', nameHash)
    .executeTakeFirst();
  const counted = { kind: 'sign-in', subject: attemptSubject(parts.keys, device, nameHash, nowMs) } as const;
  const who = { record: record ?? null, counted, inventedUserId, sessionId: null };
  return startAttempt(parts, who, body.loginRequest, nowMs);
}

/** The same for the account of a session whose keys are gone from memory. It counts for itself: strangers have none. */
export async function startUnlock(
  parts: AccountParts,
  session: { readonly accountId: string; readonly sessionId: string },
  loginRequest: string,
  nowMs: number,
): Promise<SignInStartAnswer> {
  const account = await readOwnRecord(parts, session.accountId);
  const sessionId = decodeBytes(session.sessionId);
  const counted = { kind: 'unlock', subject: sessionId } as const;
  const { opaque_user_id: inventedUserId } = account;
  return startAttempt(parts, { record: account, counted, inventedUserId, sessionId }, loginRequest, nowMs);
}

/**
 * Reads the record by which a session's account proves itself. @throws {RelayError} `session-ended` when the account is gone.
 */
export async function readOwnRecord(
  { database }: AccountParts,
  accountId: string,
): Promise<OpaqueRecord & Pick<AccountTable, 'name_hash'>> {
  const account = await database.db
    .selectFrom('accounts')
    .select(['id', 'name_hash', 'opaque_user_id', 'opaque_setup_id', 'opaque_record', 'stretching'])
    .where('id', '=', accountId)
    .executeTakeFirst();
  if (account === undefined) throw new RelayError('session-ended');
  return account;
}

async function startAttempt(
  parts: AccountParts,
  who: {
    readonly record: OpaqueRecord | null;
    readonly counted: { readonly kind: 'sign-in' | 'unlock'; readonly subject: Bytes };
    readonly inventedUserId: string;
    readonly sessionId: Bytes | null;
  },
  loginRequest: string,
  nowMs: number,
): Promise<SignInStartAnswer> {
  const { record } = who;
  const setup = record === null ? parts.keys.firstSetup : parts.keys.findSetup(record.opaque_setup_id);
  const { state, response } = opaqueStep(() =>
    startServerLogin({
      setup: setup.setup,
      userIdentifier: record?.opaque_user_id ?? who.inventedUserId,
      record: record?.opaque_record ?? null,
      request: loginRequest,
    }),
  );
  // A body that is no message of OPAQUE tests no password, so it takes no attempt from the owner of the name.
  await countAttempt(parts.database, who.counted.kind, who.counted.subject, nowMs);
  const attempt: LoginAttemptTable = {
    id: new Uint8Array(randomBytes(16)),
    account_id: record?.id ?? null,
    session_id: who.sessionId,
    server_state: state,
    counted_as: who.counted.subject,
    expires_at: nowMs + attemptLifetimeMs,
  };
  await parts.database.db.insertInto('login_attempts').values(attempt).execute();
  const stretching = stretchingOf(record?.stretching ?? stretchingProfiles[stretchingProfiles.length - 1]);
  return { format: 1, loginId: encodeBytes(attempt.id), loginResponse: response, stretching };
}

/**
 * Second half, for sign-in and unlock: who has shown to know the password gets the keyslot and a session.
 *
 * @throws {RelayError} `sign-in-failed` for a wrong password, an unknown name and an attempt that is over, alike.
 */
export async function finishSignIn(
  parts: AccountParts,
  body: SignInFinish,
  device: string | null,
  nowMs: number,
): Promise<SignedIn> {
  const { db } = parts.database;
  const id = decodeBytes(body.loginId);
  const attempt = await db
    .selectFrom('login_attempts')
    .selectAll()
    .where('id', '=', id)
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (attempt === undefined) throw new RelayError('sign-in-failed');
  const proof = finishServerLogin({ state: attempt.server_state, finish: body.loginFinish });
  const accountId = attempt.account_id;
  if (proof === null || accountId === null) {
    // One attempt is good for one answer.
    await db.deleteFrom('login_attempts').where('id', '=', id).execute();
    throw new RelayError('sign-in-failed');
  }
  return openSession(
    parts,
    {
      accountId,
      kind: 'password',
      unlocked: attempt.session_id,
      counted: { kind: attempt.session_id === null ? 'sign-in' : 'unlock', subject: attempt.counted_as },
      device,
      // Under the account's lock: gone when another call was faster, or when the password was changed meanwhile.
      take: (trx) => trx.deleteFrom('login_attempts').where('id', '=', id).executeTakeFirst(),
    },
    nowMs,
  );
}
