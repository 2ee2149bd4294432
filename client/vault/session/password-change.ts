import { deriveKeyslotListKey } from '../../../crypto/account/account-key.ts';
import { currentAccountKey, type Keyring } from '../../../crypto/account/keyring.ts';
import { digestKeyslotList, type KeyslotList, openKeyslotList } from '../../../crypto/account/keyslot-list.ts';
import type { PasswordFinish } from '../../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, equalBytes, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { hashHead, sealHead } from '../../../crypto/vault/vault-head.ts';
import { type RelayCallCode, RelayCallError } from '../relay/http/relay-call-error.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { TabLocks } from '../surroundings/vault-lock.ts';
import type { CachedHead } from '../store/cached-shapes.ts';
import type { OwnProof } from './factors/factors.ts';
import { newestStretching, registerPassword } from './factors/password.ts';
import { type KeyslotKey, replaceKeyslot } from './keys/make-keyslot.ts';
import { requireStrongPassword } from './password-floor.ts';
import type { RecentPhrase } from './keys/recent-phrase.ts';
import type { AccountSession } from './keys/session-key.ts';
import { Prover } from './step-up.ts';
import { VaultError } from '../failures/vault-error.ts';
import { underVaultLock } from '../surroundings/vault-lock.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { VaultWriter } from '../changes/writing/vault-writer.ts';

const maximumTries = 8;

/** After these the new password may hold or not: the relay was not heard to the end, or broke in the middle. */
const uncertainCodes: ReadonlySet<RelayCallCode> = new Set([
  'relay-unreachable',
  'malformed-answer',
  'foreign-answer',
  'internal-error',
  'storage-failing',
  'head-conflict',
]);

export type PasswordChangeDependencies = {
  readonly client: RelayClient;
  readonly locks: TabLocks;
  readonly store: VaultStore;
  readonly writer: VaultWriter;
  readonly account: AccountSession;
  readonly recentPhrase: RecentPhrase;
};

/**
 * A new password: OPAQUE record, keyslot, list of keyslots and head change in one transaction, or nothing does.
 *
 * @param proof - Shown to the relay for each try anew: it is for one body.
 * @throws {VaultError} `weak-password`; `wrong-password`, `proof-needed`; `server-key-changed` when the relay registers under another OPAQUE key than the
 *   account knows (M5).
 */
export async function changePassword(
  dependencies: PasswordChangeDependencies,
  newPassword: string,
  proof: OwnProof,
): Promise<void> {
  requireStrongPassword(newPassword, null);
  const prover = await Prover.open(dependencies, proof);
  await changeProven(dependencies, newPassword, prover).finally(() => prover.end());
}

async function changeProven(
  dependencies: PasswordChangeDependencies,
  newPassword: string,
  prover: Prover,
): Promise<void> {
  const { client, account, locks } = dependencies;
  const { answer, record, serverStaticPublicKey, key } = await registerPassword(newPassword, (registrationRequest) =>
    client.startPassword({ format: 1, registrationRequest }),
  );
  try {
    if (serverStaticPublicKey !== account.serverStaticPublicKey) throw new VaultError('server-key-changed');
    const begun = { passwordToken: answer.passwordToken, registrationRecord: record, key };
    await underVaultLock(locks, async () => {
      for (let tries = 0; tries < maximumTries; tries++) {
        if (await tryChange(dependencies, begun, prover)) return;
      }
      throw new VaultError('written-elsewhere');
    });
  } finally {
    key.keyEncryptionKey.wipe();
  }
}

type Begun = Pick<PasswordFinish, 'passwordToken' | 'registrationRecord'> & {
  readonly key: KeyslotKey;
};

/** @returns false when another device was first. */
async function tryChange(dependencies: PasswordChangeDependencies, begun: Begun, prover: Prover): Promise<boolean> {
  const { client, store, writer, account } = dependencies;
  await writer.syncLocked();
  const list = await readList(dependencies);
  if (list === null) return false;
  const { keyslot, listBody } = replaceKeyslot(account, list, begun.key);
  const head = sealNextHead(store, account.keyring, listBody);
  const change = {
    format: 1,
    passwordToken: begun.passwordToken,
    registrationRecord: begun.registrationRecord,
    stretching: newestStretching,
    keyslot,
    keyslotList: { body: toBase64Url(listBody) },
    expectedHead: toBase64Url(store.mark.head.hash),
    head: { counter: head.counter, body: toBase64Url(head.body) },
  } as const;
  const proof = await prover.prove('change-password', change);
  await store.updateMark({ pending: { counter: head.counter, hash: head.hash } });
  try {
    await client.finishPassword({ ...change, proof });
  } catch (error) {
    if (!(error instanceof RelayCallError) || !uncertainCodes.has(error.code)) throw error;
    // The chain says whether the new password holds or the old one still does, whoever wrote on top of it meanwhile.
    await writer.syncLocked();
    if (equalBytes(store.head.keyslotListDigest, digestKeyslotList(listBody))) return true;
    if (error.code === 'head-conflict') return false;
    throw error;
  }
  await store.commit({ head, puts: [], deletes: [], isWhole: false, cursor: store.mark.cursor });
  return true;
}

/** The list that the newest head names (M9). @returns null when another device has changed it just now. */
async function readList({ client, store, account, writer }: PasswordChangeDependencies): Promise<KeyslotList | null> {
  const { keyslotList } = await client.readKeys();
  const body = fromBase64Url(keyslotList.body);
  if (!equalBytes(digestKeyslotList(body), store.head.keyslotListDigest)) {
    const before = store.mark.head.counter;
    await writer.syncLocked();
    if (store.mark.head.counter === before) throw new VaultError('vault-tampered');
    return null;
  }
  const { keyring } = account;
  const listKey = deriveKeyslotListKey({ accountId: keyring.accountId, accountKey: currentAccountKey(keyring) });
  return openKeyslotList({ listKey, body });
}

function sealNextHead(store: VaultStore, keyring: Keyring, listBody: Bytes): CachedHead {
  const counter = store.mark.head.counter + 1;
  const body = sealHead({
    keyring,
    head: {
      counter,
      previousHash: store.mark.head.hash,
      itemsRoot: store.head.itemsRoot,
      keyslotListDigest: digestKeyslotList(listBody),
      prunedBefore: store.head.prunedBefore,
    },
  });
  return { counter, hash: hashHead(body), body };
}
