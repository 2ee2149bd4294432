import { emptyMessage, sessionAnswer, sessionsAnswer } from '../../crypto/protocol/messages/account-messages.ts';
import { idField } from '../../crypto/protocol/messages/fields.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { decodeBytes } from '../api/route/wire-bytes.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { readSessions } from './read-account.ts';
import { parseRefreshToken } from './sessions/refresh-token.ts';

/** Routes that go on with a session: its tokens, its end, the others of the account. */
export function sessionRoutes(dependencies: AccountDependencies): readonly Route[] {
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
        const started = await dependencies.sessions.refresh(cookie, nowMs);
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
        await dependencies.sessions.end(session.accountId, sessionId);
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
      handle: async ({ session, nowMs }) => answer(await readSessions(dependencies, session, nowMs)),
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
        await dependencies.sessions.end(session.accountId, decodeBytes(path.sessionId));
        return answer({ format: 1 });
      },
    }),
  ];
}
