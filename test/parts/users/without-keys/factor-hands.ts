import { ed25519 } from '@noble/curves/ed25519.js';
import { encodeRecoveryClaim } from '../../../../crypto/sign-in/recovery-signature.ts';
import { encodeStepUpClaim } from '../../../../crypto/sign-in/step-up.ts';
import type {
  RecoveryStartAnswer,
  SignInStartAnswer,
  StepUpProof,
  StepUpStart,
  StepUpStartAnswer,
} from '../../../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { FactorKind } from '../../../../server/accounts/factors/factor.ts';
import { finishLogin, nameTagOf, type QuickAccount, startLogin, uselessFinish } from './quick-account.ts';

type Call = { readonly path: string; readonly body: object };
type Asked = Pick<StepUpStart, 'format' | 'act' | 'bodyDigest'>;
/** An answer to the start of a fresh proof, by this factor or by another one. */
export type BegunStep = Pick<StepUpStartAnswer, 'stepUpId'> & {
  readonly loginResponse?: string;
  readonly nonce?: string;
};

/** Acts by one factor with its right secret, or with a wrong one where the account is null. */
export type FactorHands = {
  startSignIn(name: string): Call;
  endSignIn(started: unknown, name: string, account: QuickAccount | null): Call;
  startStepUp(asked: Asked): object;
  endStepUp(begun: BegunStep, bodyDigest: Bytes, account: QuickAccount | null): StepUpProof;
};

async function passwordHands(): Promise<FactorHands> {
  const login = await startLogin('a password');
  const finish = (response: string | undefined, account: QuickAccount | null) =>
    (account === null || response === undefined ? null : finishLogin(login, response, account.password)) ??
    uselessFinish(64);
  return {
    startSignIn: (name) => ({
      path: '/v1/sign-in/start',
      body: { format: 1, nameTag: nameTagOf(name), loginRequest: login.request },
    }),
    endSignIn: (started, _name, account) => {
      const { loginId, loginResponse } = started as SignInStartAnswer;
      return { path: '/v1/sign-in/finish', body: { format: 1, loginId, loginFinish: finish(loginResponse, account) } };
    },
    startStepUp: (asked) => ({ ...asked, factor: 'password', loginRequest: login.request }),
    endStepUp: ({ stepUpId, loginResponse }, _digest, account) => ({
      factor: 'password',
      stepUpId,
      loginFinish: finish(loginResponse, account),
    }),
  };
}

async function recoveryHands(): Promise<FactorHands> {
  const sign = (claim: Bytes, account: QuickAccount | null) =>
    toBase64Url(ed25519.sign(claim, account?.recoverySecretKey ?? randomBytes(32)));
  return {
    startSignIn: (name) => ({ path: '/v1/recovery/start', body: { format: 1, nameTag: nameTagOf(name) } }),
    endSignIn: (started, name, account) => {
      const { challengeId, challenge, issuedAtMs } = started as RecoveryStartAnswer;
      const claim = { challenge: fromBase64Url(challenge), nameTag: fromBase64Url(nameTagOf(name)), issuedAtMs };
      const signature = sign(encodeRecoveryClaim(claim), account);
      return { path: '/v1/recovery/finish', body: { format: 1, challengeId, signature } };
    },
    startStepUp: (asked) => ({ ...asked, factor: 'recovery' }),
    endStepUp: ({ stepUpId, nonce }, bodyDigest, account) => {
      const claim = { act: 'change-password', nonce: nonce ? fromBase64Url(nonce) : new Uint8Array(32), bodyDigest };
      return {
        factor: 'recovery',
        stepUpId,
        signature: sign(encodeStepUpClaim({ ...claim, act: 'change-password' }), account),
      };
    },
  };
}

/** Every factor of the relay has its hands here: a new one does not compile without. */
export const factorHands: { readonly [Kind in FactorKind]: () => Promise<FactorHands> } = {
  password: passwordHands,
  recovery: recoveryHands,
};
