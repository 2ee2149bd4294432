import {
  accountAnswer,
  keysAnswer,
  passwordFinish,
  passwordStart,
  passwordStartAnswer,
  stepUpStart,
  stepUpStartAnswer,
} from '../../crypto/protocol/messages/account-messages.ts';
import { batchAnswer } from '../../crypto/protocol/messages/item-messages.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { finishPasswordChange, startPasswordChange } from './change-password.ts';
import { readAccount, readKeys } from './read-account.ts';
import { startStepUp } from './step-up.ts';

/** Routes of the own account for a signed-in person: proofs, the password, its keys. */
export function ownRoutes(dependencies: AccountDependencies): readonly Route[] {
  return [
    defineRoute({
      name: 'startStepUp',
      summary: 'A fresh proof for one act with one body, first half; the second goes along with the act.',
      method: 'POST',
      url: '/v1/step-up/start',
      access: 'session',
      body: stepUpStart,
      answers: { 200: stepUpStartAnswer },
      limits: ['sign-in'],
      handle: async ({ session, body, nowMs }) => answer(await startStepUp(dependencies, session, body, nowMs)),
    }),
    defineRoute({
      name: 'startPasswordChange',
      summary: 'OPAQUE registration of a new password, first half.',
      method: 'POST',
      url: '/v1/password/start',
      access: 'session',
      body: passwordStart,
      answers: { 200: passwordStartAnswer },
      limits: ['sign-in'],
      handle: async ({ session, body, nowMs }) =>
        answer(await startPasswordChange(dependencies, session, body.registrationRequest, nowMs)),
    }),
    defineRoute({
      name: 'finishPasswordChange',
      summary: 'Record, keyslot, list and head together, with a fresh proof; all other sessions end.',
      method: 'POST',
      url: '/v1/password/finish',
      access: 'session',
      body: passwordFinish,
      answers: { 200: batchAnswer },
      errors: ['proof-failed', 'head-conflict'],
      limits: ['sign-in'],
      handle: async ({ session, body, nowMs }) =>
        answer(await finishPasswordChange(dependencies, session, body, nowMs)),
    }),
    defineRoute({
      name: 'readAccount',
      summary: 'Everything that the relay holds on the account itself.',
      method: 'GET',
      url: '/v1/account',
      access: 'session',
      answers: { 200: accountAnswer },
      handle: async ({ session }) => answer(await readAccount(dependencies, session.accountId)),
    }),
    defineRoute({
      name: 'readKeys',
      summary: 'Keyslot list and keyring, for a device that is unlocked.',
      method: 'GET',
      url: '/v1/keys',
      access: 'session',
      answers: { 200: keysAnswer },
      handle: async ({ session }) => answer(await readKeys(dependencies, session.accountId)),
    }),
  ];
}
