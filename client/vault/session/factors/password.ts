import { deriveKeyEncryptionKey } from '../../../../crypto/account/keyslot.ts';
import { deriveNameTag } from '../../../../crypto/account/name-tag.ts';
import {
  finishLogin,
  finishRegistration,
  opaqueReady,
  startLogin,
  startRegistration,
} from '../../../../crypto/account/opaque-client.ts';
import {
  type SignInStartAnswer,
  type StepUpProof,
  type StretchingProfile,
  stretchingProfiles,
} from '../../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import type { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { VaultError } from '../../failures/vault-error.ts';
import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import { openKeyMaterial, type SignedIn } from '../keys/key-material.ts';
import type { KeyslotKey } from '../keys/make-keyslot.ts';
import { type Act, factor } from './factor.ts';

/** Always the newest of the compiled list, whatever a relay would like (M6). */
export const newestStretching = stretchingProfiles[stretchingProfiles.length - 1] ?? stretchingProfiles[0];

/** The usual way: `by` may be left out. */
type PasswordSignIn = { readonly by?: 'password'; readonly userName: string; readonly password: string };
type PasswordUnlock = { readonly by?: 'password'; readonly password: string };
type PasswordProof = { readonly by: 'password'; readonly password: string };

/** OPAQUE (SPEC.md §3.2): the relay learns neither the password nor the key that comes of it. */
export const password = factor({
  keyslot: 'password',
  signIns: { password: ({ client }, given: PasswordSignIn) => signInWithPassword(client, given) },
  unlocks: {
    password: ({ client }, given: PasswordUnlock) =>
      logIn(client, given.password, null, (loginRequest) => client.startUnlock({ format: 1, loginRequest })),
  },
  proofs: {
    password: async ({ client }, given: PasswordProof) => {
      await opaqueReady();
      // Said before anything is asked of the relay.
      beginLogin(given.password, 'wrong-password');
      return { prove: (asked) => prove(client, asked, given.password), end: () => undefined };
    },
  },
});

/** @throws {VaultError} `sign-in-failed` for an unknown name, a wrong password and another relay alike (M12). */
export async function signInWithPassword(
  client: RelayClient,
  given: { readonly userName: string; readonly password: string },
): Promise<SignedIn> {
  const nameTag = deriveNameTag(given.userName);
  return logIn(client, given.password, nameTag, (loginRequest) =>
    client.startSignIn({ format: 1, nameTag: toBase64Url(nameTag), loginRequest }),
  );
}

async function logIn(
  client: RelayClient,
  words: string,
  nameTag: Bytes | null,
  start: (loginRequest: string) => Promise<SignInStartAnswer>,
): Promise<SignedIn> {
  await opaqueReady();
  const started = beginLogin(words, 'sign-in-failed');
  const { loginId, loginResponse: response, stretching } = await start(started.request);
  // The code that opens the vault is fetched while Argon2 runs and the relay answers.
  const ready = aeadReady();
  ready.catch(() => undefined);
  const finished = finishLogin({ password: words, state: started.state, response, stretching });
  if (finished === null) throw new VaultError('sign-in-failed');
  const { exportKey, finish: loginFinish, serverStaticPublicKey } = finished;
  const { key, session, keys } = await release().finally(() => exportKey.wipe());
  const { head, ...known } = openKeyMaterial(keys, { ...key, serverStaticPublicKey, nameTag });
  return { session, account: { ...known, needsNewPassword: false }, head };

  async function release() {
    const released = await client.finishSignIn({ format: 1, loginId, loginFinish });
    await ready;
    return { ...released, key: keyOf(exportKey, stretching) };
  }
}

async function prove(client: RelayClient, { act, bodyDigest }: Act, words: string): Promise<StepUpProof> {
  const started = beginLogin(words, 'wrong-password');
  const answer = await client.startStepUp({
    format: 1,
    factor: 'password',
    act,
    bodyDigest: toBase64Url(bodyDigest),
    loginRequest: started.request,
  });
  if (answer.factor !== 'password') throw new RelayCallError('malformed-answer');
  const { loginResponse: response, stretching, stepUpId } = answer;
  const finished = finishLogin({ password: words, state: started.state, response, stretching });
  if (finished === null) throw new VaultError('wrong-password');
  finished.exportKey.wipe();
  return { factor: 'password', stepUpId, loginFinish: finished.finish };
}

/** A password that nobody can have is a wrong password. */
function beginLogin(words: string, failure: 'sign-in-failed' | 'wrong-password') {
  try {
    return startLogin(words);
  } catch (error) {
    throw error instanceof CryptoError ? new VaultError(failure) : error;
  }
}

/** Registers a password and derives the key of its keyslot. @param ask - Brings the relay's half of the registration. */
export async function registerPassword<Answer extends { readonly registrationResponse: string }>(
  words: string,
  ask: (registrationRequest: string) => Promise<Answer>,
) {
  await opaqueReady();
  const started = startRegistration(words);
  const answer = await ask(started.request);
  const { record, serverStaticPublicKey, exportKey } = finishRegistration({
    password: words,
    state: started.state,
    response: answer.registrationResponse,
    stretching: newestStretching,
  });
  const key = keyOf(exportKey, newestStretching);
  exportKey.wipe();
  return { answer, record, serverStaticPublicKey, key };
}

function keyOf(exportKey: Secret<'ExportKey'>, stretching: StretchingProfile): KeyslotKey {
  return { kind: password.keyslot, keyEncryptionKey: deriveKeyEncryptionKey('password', exportKey), stretching };
}
