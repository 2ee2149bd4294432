import { randomBytes } from 'node:crypto';
import { verifyRecoverySignature } from '../../../crypto/sign-in/recovery-signature.ts';
import { verifyStepUpSignature } from '../../../crypto/sign-in/step-up.ts';
import {
  recoveryFinish,
  type RecoveryFinish,
  recoveryStart,
  type RecoveryStart,
  recoveryStartAnswer,
  type RecoveryStartAnswer,
  signInAnswer,
} from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { type Answer, answer, defineRoute, type Route } from '../../api/route/route.ts';
import type { RecoveryChallengeTable } from '../../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';
import type { AccountDependencies } from '../sessions/account-dependencies.ts';
import { attemptSubject } from '../attempts/known-device.ts';
import { type AttemptLimit, countAttempt } from '../attempts/login-limit.ts';
import { openSession } from '../keyslots/open-session.ts';
import type { Factor } from './factor.ts';

const challengeLifetimeMs = 5 * 60_000;
const limit: AttemptLimit = { kind: 'recovery', limit: 10 };
const keyslot = 'recovery';

/** A valid public key (RFC 8032, test 1) to which no phrase belongs: unknown names cost the same verification. */
const nobodysPublicKey = decodeBytes('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');

/** The recovery phrase's key signs what the relay draws (SPEC.md §3.4, §3.5). */
export const recovery: Factor<'recovery'> = {
  kind: 'recovery',
  keyslot,
  comesWithAccount: true,
  attempts: ['recovery_challenges'],
  limits: [limit],
  routes,

  async beginProof() {
    const nonce = new Uint8Array(randomBytes(32));
    return {
      kept: { server_state: null, nonce },
      answer: (stepUpId) => ({ format: 1, factor: 'recovery', stepUpId, nonce: encodeBytes(nonce) }),
    };
  },

  async isProven(_dependencies, { nonce, act, bodyDigest, account }, proof) {
    const { recovery_public_key: publicKey } = account;
    const signature = decodeBytes(proof.signature);
    return nonce !== null && verifyStepUpSignature({ act, nonce, bodyDigest, publicKey, signature });
  },
};

function routes(dependencies: AccountDependencies): readonly Route[] {
  return [
    defineRoute({
      name: 'startRecovery',
      summary: "A challenge for the recovery phrase's key; unknown names are answered alike. Counted as sign-ins are.",
      method: 'POST',
      url: '/v1/recovery/start',
      access: 'public',
      body: recoveryStart,
      answers: { 200: recoveryStartAnswer },
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => answer(await startRecovery(dependencies, body, device, nowMs)),
    }),
    defineRoute({
      name: 'finishRecovery',
      summary: 'The signed challenge: recovery keyslot and session.',
      method: 'POST',
      url: '/v1/recovery/finish',
      access: 'public',
      body: recoveryFinish,
      answers: { 200: signInAnswer },
      errors: ['sign-in-failed'],
      limits: ['sign-in'],
      handle: ({ body, device, nowMs }) => finishRecovery(dependencies, body, device, nowMs),
    }),
  ];
}

/**
 * A challenge for the recovery phrase's key, whether anybody has the name or not.
 *
 * @throws {RelayError} `too-many-requests`.
 */
async function startRecovery(
  dependencies: AccountDependencies,
  body: RecoveryStart,
  device: string | null,
  nowMs: number,
): Promise<RecoveryStartAnswer> {
  const nameTag = decodeBytes(body.nameTag);
  const nameHash = dependencies.keys.hashName(nameTag);
  const subject = attemptSubject(dependencies.keys, device, nameHash, nowMs);
  await countAttempt(dependencies.database, limit, subject, nowMs);
  const account = await dependencies.database.db
    .selectFrom('accounts')
    .select('id')
    .where('name_hash', '=', nameHash)
    .executeTakeFirst();
  const id = new Uint8Array(randomBytes(16));
  const row: RecoveryChallengeTable = {
    id,
    account_id: account?.id ?? null,
    challenge: new Uint8Array(randomBytes(32)),
    masked_name_tag: mask(dependencies, id, nameTag),
    issued_at: nowMs,
    counted_as: subject,
    expires_at: nowMs + challengeLifetimeMs,
  };
  await dependencies.database.db.insertInto('recovery_challenges').values(row).execute();
  return { format: 1, challengeId: encodeBytes(id), challenge: encodeBytes(row.challenge), issuedAtMs: nowMs };
}

/**
 * Releases the recovery keyslot for a signature over challenge, name and time.
 *
 * @throws {RelayError} `sign-in-failed` for whatever is wrong.
 */
async function finishRecovery(
  dependencies: AccountDependencies,
  body: RecoveryFinish,
  device: string | null,
  nowMs: number,
): Promise<Answer> {
  const id = decodeBytes(body.challengeId);
  const signature = decodeBytes(body.signature);
  const row = await dependencies.database.db
    .selectFrom('recovery_challenges')
    .leftJoin('accounts', 'accounts.id', 'recovery_challenges.account_id')
    .selectAll('recovery_challenges')
    .select('accounts.recovery_public_key')
    .where('recovery_challenges.id', '=', id)
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (row === undefined) throw new RelayError('sign-in-failed');
  const isProven = verifyRecoverySignature({
    publicKey: row.recovery_public_key ?? nobodysPublicKey,
    challenge: row.challenge,
    nameTag: mask(dependencies, id, row.masked_name_tag),
    issuedAtMs: row.issued_at,
    signature,
  });
  const attempt = { table: 'recovery_challenges', row, isProven, keyslot, unlocked: null, counted: limit } as const;
  return openSession(dependencies, { ...attempt, device }, nowMs);
}

/** A one-time pad from the server keys and the challenge's own id; putting it on twice takes it off. */
function mask(dependencies: AccountDependencies, id: Bytes, nameTag: Bytes): Bytes {
  return dependencies.keys.tokenMac('sotto/v1/name-tag-mask', id).map((byte, index) => byte ^ (nameTag[index] ?? 0));
}
