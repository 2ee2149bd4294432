import { deriveKeyEncryptionKey } from '../../../crypto/account/keyslot.ts';
import { deriveNameTag } from '../../../crypto/account/name-tag.ts';
import { finishLogin, opaqueReady, startLogin } from '../../../crypto/account/opaque-client.ts';
import {
  deriveRecoverySigningKeys,
  findUnknownWords,
  parseRecoveryPhrase,
} from '../../../crypto/account/recovery-phrase.ts';
import type { SignInStartAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import { openKeyMaterial, type SignedIn } from './key-material.ts';
import type { RecentPhrase } from './recent-phrase.ts';
import { VaultError } from '../failures/vault-error.ts';

/** @throws {VaultError} `sign-in-failed` for an unknown name, a wrong password and another relay alike (M12). */
export async function signInWithPassword(
  client: RelayClient,
  input: { readonly userName: string; readonly password: string },
): Promise<SignedIn> {
  const nameTag = deriveNameTag(input.userName);
  return logIn(client, input.password, nameTag, (loginRequest) =>
    client.startSignIn({ format: 1, nameTag: toBase64Url(nameTag), loginRequest }),
  );
}

/** The same for the account of a session that is locked. */
export function unlockWithPassword(client: RelayClient, password: string): Promise<SignedIn> {
  return logIn(client, password, null, (loginRequest) => client.startUnlock({ format: 1, loginRequest }));
}

async function logIn(
  client: RelayClient,
  password: string,
  nameTag: Bytes | null,
  start: (loginRequest: string) => Promise<SignInStartAnswer>,
): Promise<SignedIn> {
  await opaqueReady();
  const started = startOpaque(password);
  const answer = await start(started.request);
  // The code that opens the vault is fetched while Argon2 runs and the relay answers.
  const ready = aeadReady();
  ready.catch(() => undefined);
  const finished = finishLogin({
    password,
    state: started.state,
    response: answer.loginResponse,
    stretching: answer.stretching,
  });
  if (finished === null) throw new VaultError('sign-in-failed');
  const { exportKey, finish: loginFinish } = finished;
  const { keyEncryptionKey, session, keys } = await release().finally(() => exportKey.wipe());
  const opened = openKeyMaterial(keys, {
    kind: 'password',
    keyEncryptionKey,
    stretching: answer.stretching,
    serverStaticPublicKey: finished.serverStaticPublicKey,
    nameTag,
  });
  const { head, ...known } = opened;
  return { session, account: { ...known, needsNewPassword: false }, head };

  async function release() {
    const released = await client.finishSignIn({ format: 1, loginId: answer.loginId, loginFinish });
    await ready;
    return { ...released, keyEncryptionKey: deriveKeyEncryptionKey('password', exportKey) };
  }
}

/** A password that nobody can have is a wrong password. */
function startOpaque(password: string) {
  try {
    return startLogin(password);
  } catch (error) {
    if (error instanceof CryptoError) throw new VaultError('sign-in-failed');
    throw error;
  }
}

/** @throws {VaultError} `invalid-phrase`, with the words that are in no phrase. */
export function readPhrase(words: string) {
  try {
    return parseRecoveryPhrase(words);
  } catch (error) {
    throw error instanceof CryptoError ? new VaultError('invalid-phrase', null, findUnknownWords(words)) : error;
  }
}

/** @throws {VaultError} `invalid-phrase` for what is no phrase, `sign-in-failed` for another account's. */
export async function signInWithPhrase(
  client: RelayClient,
  input: { readonly userName: string; readonly words: string },
  recentPhrase: RecentPhrase,
): Promise<SignedIn> {
  const nameTag = deriveNameTag(input.userName);
  const entropy = readPhrase(input.words);
  return recover(client, nameTag, entropy, recentPhrase).finally(() => entropy.wipe());
}

async function recover(
  client: RelayClient,
  nameTag: Bytes,
  entropy: ReturnType<typeof readPhrase>,
  recentPhrase: RecentPhrase,
): Promise<SignedIn> {
  const ready = aeadReady();
  ready.catch(() => undefined);
  const challenge = await client.startRecovery({ format: 1, nameTag: toBase64Url(nameTag) });
  const signing = deriveRecoverySigningKeys(entropy);
  recentPhrase.keep(signing);
  const signature: Bytes = signing.sign({
    challenge: fromBase64Url(challenge.challenge),
    nameTag,
    issuedAtMs: challenge.issuedAtMs,
  });
  const { session, keys } = await client.finishRecovery({
    format: 1,
    challengeId: challenge.challengeId,
    signature: toBase64Url(signature),
  });
  await ready;
  const keyEncryptionKey = deriveKeyEncryptionKey('recovery', entropy);
  const { head, ...known } = openKeyMaterial(keys, {
    kind: 'recovery',
    keyEncryptionKey,
    stretching: null,
    serverStaticPublicKey: null,
    nameTag,
  });
  return { session, account: { ...known, needsNewPassword: true }, head };
}
