import {
  recoveryFinish,
  recoveryStart,
  recoveryStartAnswer,
  sessionAnswer,
  signInAnswer,
  signInFinish,
  signInStart,
  signInStartAnswer,
  signUpFinish,
  signUpStart,
  signUpStartAnswer,
} from '../../crypto/protocol/messages/account-messages.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import type { AccountParts } from './sessions/account-parts.ts';
import type { SignedIn } from './keyslots/open-session.ts';
import { finishRecovery, startRecovery } from './factors/recovery.ts';
import { finishSignIn, startSignIn } from './factors/password.ts';
import { finishSignUp, startSignUp } from './sign-up.ts';

function signedIn({ answer: body, refreshToken, device }: SignedIn) {
  return { ...answer(body), device, ...(refreshToken === null ? {} : { refreshToken }) };
}

/** Ways in for somebody who is not known yet: sign-up, sign-in, recovery. */
export function openingRoutes(parts: AccountParts): readonly Route[] {
  return [
    defineRoute({
      name: 'startSignUp',
      summary: 'Asks for an account: OPAQUE registration, first half.',
      method: 'POST',
      url: '/v1/sign-up/start',
      access: 'public',
      body: signUpStart,
      answers: { 200: signUpStartAnswer },
      errors: ['sign-up-closed', 'name-taken'],
      limits: ['sign-up'],
      handle: async ({ body, nowMs }) => answer(await startSignUp(parts, body, nowMs)),
    }),
    defineRoute({
      name: 'finishSignUp',
      summary: 'Stores the account with its keyslots and first head; a session begins.',
      method: 'POST',
      url: '/v1/sign-up/finish',
      access: 'public',
      body: signUpFinish,
      answers: { 200: sessionAnswer },
      errors: ['sign-up-closed', 'name-taken'],
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => {
        const started = await finishSignUp(parts, body, device, nowMs);
        return { ...answer(started.answer), refreshToken: started.refreshToken, device: started.device };
      },
    }),
    defineRoute({
      name: 'startSignIn',
      summary: 'OPAQUE login, first half; unknown names are answered alike. Counted by name, or by the device cookie.',
      method: 'POST',
      url: '/v1/sign-in/start',
      access: 'public',
      body: signInStart,
      answers: { 200: signInStartAnswer },
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => answer(await startSignIn(parts, body, device, nowMs)),
    }),
    defineRoute({
      name: 'finishSignIn',
      summary: 'OPAQUE login, second half, for sign-in and unlock: keyslot and session.',
      method: 'POST',
      url: '/v1/sign-in/finish',
      access: 'public',
      body: signInFinish,
      answers: { 200: signInAnswer },
      errors: ['sign-in-failed'],
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => signedIn(await finishSignIn(parts, body, device, nowMs)),
    }),
    defineRoute({
      name: 'startRecovery',
      summary: "A challenge for the recovery phrase's key; unknown names are answered alike. Counted as sign-ins are.",
      method: 'POST',
      url: '/v1/recovery/start',
      access: 'public',
      body: recoveryStart,
      answers: { 200: recoveryStartAnswer },
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => answer(await startRecovery(parts, body, device, nowMs)),
    }),
    defineRoute({
      name: 'finishRecovery',
      summary: 'The signed challenge: recovery keyslot and session.',
      method: 'POST',
      url: '/v1/recovery/finish',
      access: 'public',
      body: recoveryFinish,
      answers: { 200: signInAnswer },
      errors: ['sign-in-failed'],
      limits: ['sign-in'],
      handle: async ({ body, device, nowMs }) => signedIn(await finishRecovery(parts, body, device, nowMs)),
    }),
  ];
}
