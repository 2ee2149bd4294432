import { deriveKeyslotListKey, generateAccountId, generateAccountKey } from '../../../crypto/account/account-key.ts';
import { createKeyring } from '../../../crypto/account/keyring.ts';
import { deriveKeyEncryptionKey, wrapAccountKey } from '../../../crypto/account/keyslot.ts';
import { digestKeyslot, digestKeyslotList, encodeKeyslotList } from '../../../crypto/account/keyslot-list.ts';
import { deriveNameTag } from '../../../crypto/account/name-tag.ts';
import { finishRegistration, opaqueReady, startRegistration } from '../../../crypto/account/opaque-client.ts';
import { deriveRecoverySigningKeys, generateRecoveryPhrase } from '../../../crypto/account/recovery-phrase.ts';
import { type SignUpFinish, stretchingProfiles } from '../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { type Bytes, equalBytes, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { MerkleTree } from '../../../crypto/protocol/merkle-tree.ts';
import { noHeadHash, sealHead } from '../../../crypto/vault/vault-head.ts';
import { isWayCode, RelayCallError } from '../relay/http/relay-call-error.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import { openSignInHead } from '../store/head-check.ts';
import type { SignedIn } from './key-material.ts';
import { requireStrongPassword } from './password-floor.ts';
import type { AccountSession } from './session-key.ts';
import { signInWithPassword } from './sign-in.ts';
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

/** Always the newest of the compiled list, whatever a relay would like (M6). */
export const newestStretching = stretchingProfiles[stretchingProfiles.length - 1] ?? stretchingProfiles[0];

/** Registers with the relay and draws all keys. @throws {VaultError} `weak-password`, `invalid-user-name`. */
export async function prepareSignUp(
  client: RelayClient,
  input: { readonly userName: string; readonly password: string },
): Promise<PreparedSignUp> {
  const { userName, password } = input;
  const nameTag = deriveNameTag(userName);
  requireStrongPassword(password, userName);
  await opaqueReady();
  const started = startRegistration(password);
  const answer = await client.startSignUp({
    format: 1,
    nameTag: toBase64Url(nameTag),
    registrationRequest: started.request,
  });
  const registered = finishRegistration({
    password,
    state: started.state,
    response: answer.registrationResponse,
    stretching: newestStretching,
  });
  await aeadReady();
  const { words, entropy } = generateRecoveryPhrase();
  const accountId = generateAccountId();
  const accountKey = generateAccountKey();
  const { serverStaticPublicKey } = registered;
  const shared = { generation: 1, epoch: 1, serverStaticPublicKey, accountId, accountKey, nameTag } as const;
  const slots = [
    wrapSlot({
      ...shared,
      kind: 'password',
      stretching: newestStretching,
      keyEncryptionKey: deriveKeyEncryptionKey('password', registered.exportKey),
    }),
    wrapSlot({
      ...shared,
      kind: 'recovery',
      stretching: null,
      keyEncryptionKey: deriveKeyEncryptionKey('recovery', entropy),
    }),
  ];
  const keyring = createKeyring({ accountId, epoch: 1, accountKey });
  const listKey = deriveKeyslotListKey({ accountId, accountKey });
  const list = encodeKeyslotList({ listKey, epoch: 1, slots: slots.map(({ listed }) => listed) });
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
  const signing = deriveRecoverySigningKeys(entropy);
  const message: SignUpFinish = {
    format: 1,
    signUpToken: answer.signUpToken,
    registrationRecord: registered.record,
    stretching: newestStretching,
    keyslots: slots.map(({ message: slot }) => slot),
    keyslotList: { body: toBase64Url(list) },
    recoveryPublicKey: toBase64Url(signing.publicKey),
    head: { counter: 1, body: toBase64Url(head) },
  };
  for (const secret of [signing, entropy, registered.exportKey]) secret.wipe();
  const account = { keyring, serverStaticPublicKey, nameTag, needsNewPassword: false };
  return { userName, password, words, account, message, wasSent: false };
}

type SlotInput = Omit<Parameters<typeof wrapAccountKey>[0], 'slotId'>;

function wrapSlot(input: SlotInput) {
  const slotId: Bytes = randomBytes(16);
  const { kind, generation } = input;
  const body = wrapAccountKey({ ...input, slotId });
  input.keyEncryptionKey.wipe();
  return {
    listed: { slotId, kind, generation, digest: digestKeyslot(body) },
    message: { slotId: toBase64Url(slotId), kind, generation, body: toBase64Url(body) },
  };
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
