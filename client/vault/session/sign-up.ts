import { generateAccountId, generateAccountKey } from '../../../crypto/account/account-key.ts';
import { createKeyring } from '../../../crypto/account/keyring.ts';
import { digestKeyslotList } from '../../../crypto/account/keyslot-list.ts';
import { deriveNameTag } from '../../../crypto/account/name-tag.ts';
import type { SignUpFinish } from '../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { equalBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { MerkleTree } from '../../../crypto/protocol/merkle-tree.ts';
import { noHeadHash, sealHead } from '../../../crypto/vault/vault-head.ts';
import { isWayCode, RelayCallError } from '../relay/http/relay-call-error.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import { openSignInHead } from '../store/head-check.ts';
import { newestStretching, registerPassword, signInWithPassword } from './factors/password.ts';
import { drawPhrase } from './factors/recovery.ts';
import type { SignedIn } from './keys/key-material.ts';
import { encodeList, makeKeyslot } from './keys/make-keyslot.ts';
import { requireStrongPassword } from './password-floor.ts';
import type { AccountSession } from './keys/session-key.ts';
import { VaultError } from '../failures/vault-error.ts';

/** Everything of a new account, before the relay has any of it. */
export type PreparedSignUp = {
  readonly userName: string;
  readonly password: string;
  readonly words: readonly string[];
  readonly account: AccountSession;
  readonly message: SignUpFinish;
  /** True once a call to create the account was made whose answer is not known. */
  wasSent: boolean;
};

/** Registers with the relay and draws all keys. @throws {VaultError} `weak-password`, `invalid-user-name`. */
export async function prepareSignUp(
  client: RelayClient,
  input: { readonly userName: string; readonly password: string },
): Promise<PreparedSignUp> {
  const { userName, password } = input;
  const nameTag = deriveNameTag(userName);
  requireStrongPassword(password, userName);
  const { answer, record, serverStaticPublicKey, key } = await registerPassword(password, (registrationRequest) =>
    client.startSignUp({ format: 1, nameTag: toBase64Url(nameTag), registrationRequest }),
  );
  await aeadReady();
  const phrase = drawPhrase();
  const keyring = createKeyring({ accountId: generateAccountId(), epoch: 1, accountKey: generateAccountKey() });
  const account = { keyring, serverStaticPublicKey, nameTag, needsNewPassword: false };
  const slots = [key, phrase.key].map((each) => makeKeyslot(account, each));
  const list = encodeList(
    account,
    slots.map(({ listed }) => listed),
  );
  const head = sealHead({
    keyring,
    head: {
      counter: 1,
      previousHash: noHeadHash,
      itemsRoot: new MerkleTree().root(),
      keyslotListDigest: digestKeyslotList(list),
      prunedBefore: 0,
    },
  });
  const message: SignUpFinish = {
    format: 1,
    signUpToken: answer.signUpToken,
    registrationRecord: record,
    stretching: newestStretching,
    keyslots: slots.map(({ message: slot }) => slot),
    keyslotList: { body: toBase64Url(list) },
    recoveryPublicKey: toBase64Url(phrase.publicKey),
    head: { counter: 1, body: toBase64Url(head) },
  };
  for (const { keyEncryptionKey } of [key, phrase.key]) keyEncryptionKey.wipe();
  return { userName, password, words: phrase.words, account, message, wasSent: false };
}

/**
 * Creates the account. May be called again when the network failed: if the first call arrived after all, the name is
 * taken by this very account, and its password opens it.
 *
 * @throws {VaultError} `name-taken` for somebody else's.
 */
export async function finishSignUp(client: RelayClient, prepared: PreparedSignUp): Promise<SignedIn> {
  const head = openSignInHead(prepared.account.keyring, prepared.message.head);
  const { wasSent } = prepared;
  prepared.wasSent = true;
  try {
    return { session: await client.finishSignUp(prepared.message), account: prepared.account, head };
  } catch (error) {
    const isRefused = error instanceof RelayCallError && !isWayCode(error.code);
    if (!isRefused) throw error;
    prepared.wasSent = wasSent;
    if (error.code !== 'name-taken' || !wasSent) throw error;
  }
  const signedIn = await signInWithPassword(client, prepared).catch(() => {
    throw new VaultError('name-taken');
  });
  const isOurs = equalBytes(signedIn.account.keyring.accountId, prepared.account.keyring.accountId);
  if (!isOurs) throw new VaultError('name-taken');
  return signedIn;
}
