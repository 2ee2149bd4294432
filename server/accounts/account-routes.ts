import {
  accountAnswer,
  emptyMessage,
  keysAnswer,
  passwordFinish,
  passwordStart,
  passwordStartAnswer,
  recoveryFinish,
  recoveryStart,
  recoveryStartAnswer,
  sessionAnswer,
  sessionsAnswer,
  signInAnswer,
  signInFinish,
  signInStart,
  signInStartAnswer,
  signUpFinish,
  signUpStart,
  signUpStartAnswer,
  stepUpStart,
  stepUpStartAnswer,
  unlockStart,
} from '../../crypto/protocol/messages/account-messages.ts';
import { idField } from '../../crypto/protocol/messages/fields.ts';
import { batchAnswer } from '../../crypto/protocol/messages/item-messages.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { decodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountParts } from './sessions/account-parts.ts';
import { finishPasswordChange, startPasswordChange } from './change-password.ts';
import type { SignedIn } from './keyslots/open-session.ts';
import { readAccount, readKeys, readSessions } from './read-account.ts';
import { finishRecovery, startRecovery } from './factors/recovery.ts';
import { parseRefreshToken } from './sessions/refresh-token.ts';
import { finishSignIn, startSignIn, startUnlock } from './factors/password.ts';
import { finishSignUp, startSignUp } from './sign-up.ts';
import { startStepUp } from './step-up.ts';

/** Everything below /v1 that is about the account itself. */
export function accountRoutes(parts: AccountParts): readonly Route[] {
  return [...openingRoutes(parts), ...sessionRoutes(parts), ...ownRoutes(parts)];
}

function signedIn({ answer: body, refreshToken, device }: SignedIn) {
  return { ...answer(body), device, ...(refreshToken === null ? {} : { refreshToken }) };
}

function openingRoutes(parts: AccountParts): readonly Route[] {
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

function sessionRoutes(parts: AccountParts): readonly Route[] {
  return [
    defineRoute({
      name: 'refreshSession',
      summary: 'A new access token for the refresh cookie, which rotates.',
      method: 'POST',
      url: '/v1/session/refresh',
      access: 'cookie',
      body: emptyMessage,
      answers: { 200: sessionAnswer },
      errors: ['session-ended'],
      limits: ['refresh'],
      handle: async ({ cookie, nowMs }) => {
        if (cookie === null) throw new RelayError('not-signed-in');
        const started = await parts.sessions.refresh(cookie, nowMs);
        return { ...answer(started.answer), refreshToken: started.refreshToken };
      },
    }),
    defineRoute({
      name: 'signOut',
      summary: 'Ends the session and takes its cookie away.',
      method: 'POST',
      url: '/v1/sign-out',
      access: 'session',
      body: emptyMessage,
      answers: { 200: emptyMessage },
      handle: async ({ session, cookie }) => {
        const sessionId = decodeBytes(session.sessionId);
        await parts.sessions.end(session.accountId, sessionId);
        // The cookie may belong to a later sign-in in another tab.
        const own = cookie === null ? null : parseRefreshToken(cookie);
        const isOwn = own !== null && Buffer.compare(own.sessionId, sessionId) === 0;
        return isOwn ? { ...answer({ format: 1 }), refreshToken: null } : answer({ format: 1 });
      },
    }),
    defineRoute({
      name: 'listSessions',
      summary: 'The living sessions of the account.',
      method: 'GET',
      url: '/v1/sessions',
      access: 'session',
      answers: { 200: sessionsAnswer },
      handle: async ({ session, nowMs }) => answer(await readSessions(parts, session, nowMs)),
    }),
    defineRoute({
      name: 'endSession',
      summary: 'Ends one session of the account; one that is gone is no error.',
      method: 'DELETE',
      url: '/v1/sessions/{sessionId}',
      access: 'session',
      path: { sessionId: idField },
      answers: { 200: emptyMessage },
      handle: async ({ session, path }) => {
        await parts.sessions.end(session.accountId, decodeBytes(path.sessionId));
        return answer({ format: 1 });
      },
    }),
  ];
}

function ownRoutes(parts: AccountParts): readonly Route[] {
  return [
    defineRoute({
      name: 'startUnlock',
      summary: 'OPAQUE login for the account of this session, first half.',
      method: 'POST',
      url: '/v1/unlock/start',
      access: 'session',
      body: unlockStart,
      answers: { 200: signInStartAnswer },
      limits: ['sign-in'],
      handle: async ({ session, body, nowMs }) => answer(await startUnlock(parts, session, body.loginRequest, nowMs)),
    }),
    defineRoute({
      name: 'startStepUp',
      summary: 'A fresh proof for one act with one body, first half; the second goes along with the act.',
      method: 'POST',
      url: '/v1/step-up/start',
      access: 'session',
      body: stepUpStart,
      answers: { 200: stepUpStartAnswer },
      limits: ['sign-in'],
      handle: async ({ session, body, nowMs }) => answer(await startStepUp(parts, session, body, nowMs)),
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
        answer(await startPasswordChange(parts, session, body.registrationRequest, nowMs)),
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
      handle: async ({ session, body, nowMs }) => answer(await finishPasswordChange(parts, session, body, nowMs)),
    }),
    defineRoute({
      name: 'readAccount',
      summary: 'Everything that the relay holds on the account itself.',
      method: 'GET',
      url: '/v1/account',
      access: 'session',
      answers: { 200: accountAnswer },
      handle: async ({ session }) => answer(await readAccount(parts, session.accountId)),
    }),
    defineRoute({
      name: 'readKeys',
      summary: 'Keyslot list and keyring, for a device that is unlocked.',
      method: 'GET',
      url: '/v1/keys',
      access: 'session',
      answers: { 200: keysAnswer },
      handle: async ({ session }) => answer(await readKeys(parts, session.accountId)),
    }),
  ];
}
