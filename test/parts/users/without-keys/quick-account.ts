import * as opaque from '@serenity-kit/opaque';
import { deriveNameTag } from '../../../../crypto/account/name-tag.ts';
import { digestActBody, encodeStepUpClaim } from '../../../../crypto/sign-in/step-up.ts';
import type {
  PasswordStartAnswer,
  SessionAnswer,
  SignInAnswer,
  SignInStartAnswer,
  SignUpStartAnswer,
  StepUpProof,
  StepUpStartAnswer,
} from '../../../../crypto/protocol/messages/account-messages.ts';
import { hashHead } from '../../../../crypto/vault/vault-head.ts';
import { type Bytes, fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { CallAnswer, TestRelay } from '../../relay/in-process/test-relay.ts';
import { ed25519 } from '@noble/curves/ed25519.js';

/*
 * Accounts for tests of the relay alone: real OPAQUE with the cheapest stretching, and random bytes where the relay only
 * ever sees ciphertext.
 */

const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 8, parallelism: 1 } } as const;
const identifiers = { server: 'sotto/v1' };

export type QuickAccount = {
  readonly name: string;
  readonly password: string;
  readonly session: SessionAnswer;
  /** `name=value`, as a browser would send it back. */
  readonly cookie: string;
  /** Hash and counter of the newest head. */
  readonly head: { readonly counter: number; readonly hash: Bytes };
  readonly recoverySecretKey: Uint8Array;
  readonly keyslots: readonly { readonly slotId: string; readonly kind: string; readonly body: string }[];
};

export const nameTagOf = (name: string): string => toBase64Url(deriveNameTag(name));

export function randomText(length: number): string {
  return toBase64Url(randomBytes(length));
}

export function sealedHead(counter: number) {
  return { counter, body: randomText(202) };
}

export function hashOfHead(head: { readonly body: string }): Bytes {
  return hashHead(fromBase64Url(head.body));
}

/** The cookie pair of a `Set-Cookie` line, or an empty text. */
export function cookieOf(answer: CallAnswer): string {
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

export function register(response: string, state: string, password: string): string {
  const registration = { password, registrationResponse: response, clientRegistrationState: state };
  return opaque.client.finishRegistration({ ...registration, identifiers, keyStretching }).registrationRecord;
}

/** The two messages of a sign-up; the second waits for the first one's answer. */
export async function prepareSignUp(relay: TestRelay, name: string, password: string) {
  await opaque.ready;
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
  const start = { format: 1, nameTag: nameTagOf(name), registrationRequest };
  const started = await relay.call('POST', '/v1/sign-up/start', { body: start });
  if (started.status !== 200) return { started, finish: null };
  const { signUpToken, registrationResponse } = started.json as SignUpStartAnswer;
  const { secretKey, publicKey } = ed25519.keygen();
  const keyslots = (['password', 'recovery'] as const).map((kind) => ({
    slotId: randomText(16),
    kind,
    generation: 1,
    body: randomText(166),
  }));
  const finish = {
    format: 1,
    signUpToken,
    registrationRecord: register(registrationResponse, clientRegistrationState, password),
    stretching: 'argon2id-64mib-3',
    keyslots,
    keyslotList: { body: randomText(200) },
    recoveryPublicKey: toBase64Url(publicKey),
    head: sealedHead(1),
  };
  return { started, finish, secretKey };
}

export async function quickSignUp(relay: TestRelay, name: string, password = 'a password'): Promise<QuickAccount> {
  const { finish, secretKey, started } = await prepareSignUp(relay, name, password);
  if (finish === null) throw new Error(`sign-up gave ${started.text}`);
  const answer = await relay.call('POST', '/v1/sign-up/finish', { body: finish });
  if (answer.status !== 200) throw new Error(`sign-up gave ${answer.text}`);
  return {
    name,
    password,
    session: answer.json as SessionAnswer,
    cookie: cookieOf(answer),
    head: { counter: 1, hash: hashOfHead(finish.head) },
    recoverySecretKey: secretKey,
    keyslots: finish.keyslots,
  };
}

export type LoginStart = { readonly state: string; readonly request: string };

export async function startLogin(password: string): Promise<LoginStart> {
  await opaque.ready;
  const { clientLoginState, startLoginRequest } = opaque.client.startLogin({ password });
  return { state: clientLoginState, request: startLoginRequest };
}

/** @returns null when the client itself sees that the password is wrong. */
export function finishLogin(start: LoginStart, response: string, password: string): string | null {
  const finished = opaque.client.finishLogin({
    password,
    loginResponse: response,
    clientLoginState: start.state,
    identifiers,
    keyStretching,
  });
  return finished?.finishLoginRequest ?? null;
}

/** A last message that is well formed and proves nothing. */
export function uselessFinish(length: number): string {
  return toBase64Url(new Uint8Array(length).map((_, index) => index));
}

/** Both halves of a sign-in; null as `finish` when the password is wrong. */
export async function quickSignIn(relay: TestRelay, name: string, password: string) {
  const start = await startLogin(password);
  const body = { format: 1, nameTag: nameTagOf(name), loginRequest: start.request };
  const started = await relay.call('POST', '/v1/sign-in/start', { body });
  if (started.status !== 200) return { started, finished: null };
  const { loginId, loginResponse } = started.json as SignInStartAnswer;
  const loginFinish = finishLogin(start, loginResponse, password) ?? uselessFinish(64);
  const finished = await relay.call('POST', '/v1/sign-in/finish', { body: { format: 1, loginId, loginFinish } });
  return { started, finished };
}

export async function mustSignIn(relay: TestRelay, name: string, password: string) {
  const { finished } = await quickSignIn(relay, name, password);
  if (finished?.status !== 200) throw new Error(`sign-in gave ${finished?.text ?? 'nothing'}`);
  return { answer: finished.json as SignInAnswer, cookie: cookieOf(finished) };
}

const changePassword = 'change-password';

function startStepUp(relay: TestRelay, token: string, body: object) {
  return relay.call('POST', '/v1/step-up/start', { body: { format: 1, act: changePassword, ...body }, token });
}

/** A fresh proof by password for a password change with this very body; one that proves nothing where the password is wrong. */
export async function provePassword(
  relay: TestRelay,
  token: string,
  password: string,
  body: object,
): Promise<StepUpProof> {
  const begun = await startLogin(password);
  const bodyDigest = toBase64Url(digestActBody(body));
  const started = await startStepUp(relay, token, { factor: 'password', bodyDigest, loginRequest: begun.request });
  if (started.status !== 200) throw new Error(`step-up gave ${started.text}`);
  const answer = started.json as StepUpStartAnswer & { readonly factor: 'password' };
  const loginFinish = finishLogin(begun, answer.loginResponse, password) ?? uselessFinish(64);
  return { factor: 'password', stepUpId: answer.stepUpId, loginFinish };
}

/** The same by the key of the recovery phrase. */
export async function provePhrase(
  relay: TestRelay,
  token: string,
  secretKey: Uint8Array,
  body: object,
): Promise<StepUpProof> {
  const bodyDigest = digestActBody(body);
  const started = await startStepUp(relay, token, { factor: 'recovery', bodyDigest: toBase64Url(bodyDigest) });
  if (started.status !== 200) throw new Error(`step-up gave ${started.text}`);
  const answer = started.json as StepUpStartAnswer & { readonly factor: 'recovery' };
  const claim = encodeStepUpClaim({ act: changePassword, nonce: fromBase64Url(answer.nonce), bodyDigest });
  return { factor: 'recovery', stepUpId: answer.stepUpId, signature: toBase64Url(ed25519.sign(claim, secretKey)) };
}

/** A password change that is ready but for its proof. */
export async function preparePasswordChange(
  relay: TestRelay,
  account: Pick<QuickAccount, 'session' | 'head'>,
  password: string,
) {
  await opaque.ready;
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
  const started = await relay.call('POST', '/v1/password/start', {
    body: { format: 1, registrationRequest },
    token: account.session.accessToken,
  });
  const { passwordToken, registrationResponse } = started.json as PasswordStartAnswer;
  return {
    format: 1,
    passwordToken,
    registrationRecord: register(registrationResponse, clientRegistrationState, password),
    stretching: 'argon2id-64mib-3',
    keyslot: { slotId: randomText(16), kind: 'password', generation: 2, body: randomText(166) },
    keyslotList: { body: randomText(200) },
    expectedHead: toBase64Url(account.head.hash),
    head: sealedHead(account.head.counter + 1),
  };
}
