import type { KeyslotKind, SignInAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { type Answer, answer } from '../../api/route/route.ts';
import type { Schema, SessionTable } from '../../storage/tables/schema.ts';
import { lockAccount } from '../../vault/quota.ts';
import { encodeBytes } from '../../api/route/wire-bytes.ts';
import type { AccountDependencies } from '../sessions/account-dependencies.ts';
import { readKeyMaterial } from './keyslots.ts';
import { rememberDevice } from '../attempts/known-device.ts';
import { type AttemptLimit, forgiveAttempt } from '../attempts/login-limit.ts';

/** A row of a sign-in that was begun: good for one answer, for a while. */
type AttemptRow = {
  readonly id: Bytes;
  /** Null where nobody has the name. */
  readonly account_id: string | null;
  /** Whose guesses it was counted among; null in rows of an earlier build: the name's. */
  readonly counted_as: Bytes | null;
  readonly expires_at: number;
};
export type AttemptTableName = {
  [Name in keyof Schema]: Schema[Name] extends AttemptRow ? Name : never;
}[keyof Schema];

/** A sign-in whose second half was judged by its factor. */
export type JudgedAttempt = {
  readonly table: AttemptTableName;
  readonly row: AttemptRow;
  readonly isProven: boolean;
  /** The kind that the factor releases. */
  readonly keyslot: KeyslotKind;
  /** The session that goes on; null: a new one begins. */
  readonly unlocked: Bytes | null;
  readonly counted: AttemptLimit;
  /** The device's cookie, as it came. */
  readonly device: string | null;
};

/**
 * Uses an attempt up. For one that is proven it releases the factor's keyslot and begins a session or goes on with one.
 *
 * @throws {RelayError} `sign-in-failed` for one that is not, for an unknown name, and when another call was faster.
 */
export async function openSession(
  dependencies: AccountDependencies,
  attempt: JudgedAttempt,
  nowMs: number,
): Promise<Answer> {
  const { database, sessions } = dependencies;
  const { table, row, keyslot, unlocked } = attempt;
  const accountId = row.account_id;
  if (!attempt.isProven || accountId === null) {
    await database.db.deleteFrom(table).where('id', '=', row.id).execute();
    throw new RelayError('sign-in-failed');
  }
  const opened = await database.write(async (trx) => {
    await lockAccount(trx, database.kind, accountId);
    // Under the account's lock: gone when another call was faster, or when the way in was changed meanwhile.
    const taken = await trx.deleteFrom(table).where('id', '=', row.id).executeTakeFirst();
    const keys = await readKeyMaterial(trx, accountId, keyslot);
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
  await forgiveAttempt(database, attempt.counted, row.counted_as ?? opened.nameHash);
  const device = rememberDevice(dependencies.keys, attempt.device, opened.nameHash, nowMs);
  if (opened.session !== null) {
    const started = await sessions.start(opened.session, nowMs);
    const body: SignInAnswer = { format: 1, session: started.answer, keys: opened.keys };
    return { ...answer(body), refreshToken: started.refreshToken, device };
  }
  const session = await sessions.answer(encodeBytes(unlocked ?? new Uint8Array()), accountId, nowMs);
  const body: SignInAnswer = { format: 1, session, keys: opened.keys };
  return { ...answer(body), device };
}
