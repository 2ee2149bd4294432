import {
  sessionAnswer,
  signUpFinish,
  signUpStart,
  signUpStartAnswer,
} from '../../crypto/protocol/messages/account-messages.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { finishSignUp, startSignUp } from './sign-up.ts';

/** The way in for somebody who has no account yet. */
export function signUpRoutes(dependencies: AccountDependencies): readonly Route[] {
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
      handle: async ({ body, nowMs }) => answer(await startSignUp(dependencies, body, nowMs)),
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
        const started = await finishSignUp(dependencies, body, device, nowMs);
        return { ...answer(started.answer), refreshToken: started.refreshToken, device: started.device };
      },
    }),
  ];
}
