import { randomBytes } from 'node:crypto';
import { verifyRecoverySignature } from '../../../crypto/sign-in/recovery-signature.ts';
import type {
  RecoveryFinish,
  RecoveryStart,
  RecoveryStartAnswer,
} from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { RecoveryChallengeTable } from '../../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';
import type { AccountParts } from '../sessions/account-parts.ts';
import { attemptSubject } from '../attempts/known-device.ts';
import { countAttempt } from '../attempts/login-limit.ts';
import { openSession, type SignedIn } from '../keyslots/open-session.ts';

const challengeLifetimeMs = 5 * 60_000;

/** A valid public key (RFC 8032, test 1) to which no phrase belongs: unknown names cost the same verification. */
const nobodysPublicKey = decodeBytes('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');

/**
 * A challenge for the recovery phrase's key, whether anybody has the name or not.
 *
 * @throws {RelayError} `too-many-requests`.
 */
export async function startRecovery(
  parts: AccountParts,
  body: RecoveryStart,
  device: string | null,
  nowMs: number,
): Promise<RecoveryStartAnswer> {
  const nameTag = decodeBytes(body.nameTag);
  const nameHash = parts.keys.hashName(nameTag);
  const subject = attemptSubject(parts.keys, device, nameHash, nowMs);
  await countAttempt(parts.database, 'recovery', subject, nowMs);
  const account = await parts.database.db
    .selectFrom('accounts')
    .select('id')
    .where('name_hash', '=', nameHash)
    .executeTakeFirst();
  const id = new Uint8Array(randomBytes(16));
  const row: RecoveryChallengeTable = {
    id,
    account_id: account?.id ?? null,
    challenge: new Uint8Array(randomBytes(32)),
    masked_name_tag: mask(parts, id, nameTag),
    issued_at: nowMs,
    counted_as: subject,
    expires_at: nowMs + challengeLifetimeMs,
  };
  await parts.database.db.insertInto('recovery_challenges').values(row).execute();
  return { format: 1, challengeId: encodeBytes(id), challenge: encodeBytes(row.challenge), issuedAtMs: nowMs };
}

/**
 * Releases the recovery keyslot for a signature over challenge, name and time.
 *
 * @throws {RelayError} `sign-in-failed` for whatever is wrong.
 */
export async function finishRecovery(
  parts: AccountParts,
  body: RecoveryFinish,
  device: string | null,
  nowMs: number,
): Promise<SignedIn> {
  const { db } = parts.database;
  const id = decodeBytes(body.challengeId);
  const signature = decodeBytes(body.signature);
  const row = await db
    .selectFrom('recovery_challenges')
    .leftJoin('accounts', 'accounts.id', 'recovery_challenges.account_id')
    .selectAll('recovery_challenges')
    .select('accounts.recovery_public_key')
    .where('recovery_challenges.id', '=', id)
    .where('expires_at', '>', nowMs)
    .executeTakeFirst();
  if (row === undefined) throw new RelayError('sign-in-failed');
  const isSigned = verifyRecoverySignature({
    publicKey: row.recovery_public_key ?? nobodysPublicKey,
    challenge: row.challenge,
    nameTag: mask(parts, id, row.masked_name_tag),
    issuedAtMs: row.issued_at,
    signature,
  });
  const accountId = row.account_id;
  if (!isSigned || accountId === null) {
    await db.deleteFrom('recovery_challenges').where('id', '=', id).execute();
    throw new RelayError('sign-in-failed');
  }
  return openSession(
    parts,
    {
      accountId,
      kind: 'recovery',
      unlocked: null,
      counted: { kind: 'recovery', subject: row.counted_as },
      device,
      take: (trx) => trx.deleteFrom('recovery_challenges').where('id', '=', id).executeTakeFirst(),
    },
    nowMs,
  );
}

/** A one-time pad from the server keys and the challenge's own id; putting it on twice takes it off. */
function mask(parts: AccountParts, id: Bytes, nameTag: Bytes): Bytes {
  return parts.keys.tokenMac('sotto/v1/name-tag-mask', id).map((byte, index) => byte ^ (nameTag[index] ?? 0));
}
