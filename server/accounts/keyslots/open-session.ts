import type { DeleteResult, Transaction } from 'kysely';
import type { SignInAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { Schema, SessionTable } from '../../storage/tables/schema.ts';
import { lockAccount } from '../../vault/quota.ts';
import { encodeBytes } from '../../api/route/wire-bytes.ts';
import type { AccountParts } from '../sessions/account-parts.ts';
import { readKeyMaterial } from './keyslots.ts';
import { rememberDevice } from '../attempts/known-device.ts';
import { type CountedAttempt, forgiveAttempt } from '../attempts/login-limit.ts';

/** `refreshToken` is null when an existing session was unlocked. */
export type SignedIn = {
  readonly answer: SignInAnswer;
  readonly refreshToken: string | null;
  /** For the device's cookie. */
  readonly device: string;
};

export type ProvenFactor = {
  readonly accountId: string;
  /** The keyslot that this factor opens. */
  readonly kind: 'password' | 'recovery';
  /** The session that goes on; null: a new one begins. */
  readonly unlocked: Bytes | null;
  /** Where the attempt was counted; a subject that is null is the name. */
  readonly counted: { readonly kind: CountedAttempt; readonly subject: Bytes | null };
  /** The device's cookie, as it came. */
  readonly device: string | null;
  /** Deletes the row of the attempt. */
  take(trx: Transaction<Schema>): Promise<DeleteResult>;
};

/**
 * Releases the keyslot of the factor that was proven, once, and begins or goes on with a session.
 *
 * @throws {RelayError} `sign-in-failed` when the attempt was taken by another call.
 */
export async function openSession(parts: AccountParts, factor: ProvenFactor, nowMs: number): Promise<SignedIn> {
  const { database, sessions } = parts;
  const { accountId, kind, unlocked, counted } = factor;
  const opened = await database.write(async (trx) => {
    await lockAccount(trx, database.kind, accountId);
    const taken = await factor.take(trx);
    const keys = await readKeyMaterial(trx, accountId, kind);
    if (taken.numDeletedRows !== 1n || keys === null) throw new RelayError('sign-in-failed');
    if (unlocked !== null && !(await sessions.isAlive(trx, accountId, unlocked, nowMs))) {
      throw new RelayError('sign-in-failed');
    }
    const session: SessionTable | null = unlocked === null ? await sessions.create(trx, accountId, nowMs) : null;
    const { name_hash: nameHash } = await trx
      .selectFrom('accounts')
      .select('name_hash')
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow();
    return { keys, session, nameHash };
  });
  await forgiveAttempt(database, counted.kind, counted.subject ?? opened.nameHash);
  const device = rememberDevice(parts.keys, factor.device, opened.nameHash, nowMs);
  if (opened.session !== null) {
    const started = await sessions.start(opened.session, nowMs);
    const answer = { format: 1, session: started.answer, keys: opened.keys } as const;
    return { answer, refreshToken: started.refreshToken, device };
  }
  const session = await sessions.answer(encodeBytes(unlocked ?? new Uint8Array()), accountId, nowMs);
  return { answer: { format: 1, session, keys: opened.keys }, refreshToken: null, device };
}
