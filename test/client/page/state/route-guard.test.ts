import { describe, expect, test } from 'vitest';
import { redirectFor } from '../../../../client/page/state/route-guard.ts';
import type { Route } from '../../../../client/page/state/router.ts';

const chat: Route = { page: 'chat', conversationId: null };
const oneChat: Route = { page: 'chat', conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' };
const open: Route[] = [{ page: 'sign-in' }, { page: 'create-account' }, { page: 'recover' }];
const protectedPages: Route[] = [chat, oneChat, { page: 'new-password' }];

function redirect(
  route: Route,
  status: string,
  more: { wish?: Route; arrived?: boolean; needsNewPassword?: boolean } = {},
) {
  return redirectFor({
    route,
    session: { status: status as 'unlocked', needsNewPassword: more.needsNewPassword ?? false },
    wish: more.wish ?? null,
    arrived: more.arrived ?? false,
  });
}

describe('redirectFor', () => {
  test.each(protectedPages)('$page: signed out goes to sign in, locked to unlock, unlocked stays', (route) => {
    expect(redirect(route, 'signed-out')).toEqual({ page: 'sign-in' });
    expect(redirect(route, 'locked')).toEqual({ page: 'unlock' });
    expect(redirect(route, 'unlocked')).toBeNull();
  });

  test.each(open)('$page: signed out stays, unlocked goes to the chat', (route) => {
    expect(redirect(route, 'signed-out')).toBeNull();
    expect(redirect(route, 'locked')).toEqual({ page: 'unlock' });
    expect(redirect(route, 'unlocked')).toEqual(chat);
  });

  test('unlock: only while locked', () => {
    expect(redirect({ page: 'unlock' }, 'locked')).toBeNull();
    expect(redirect({ page: 'unlock' }, 'signed-out')).toEqual({ page: 'sign-in' });
    expect(redirect({ page: 'unlock' }, 'unlocked')).toEqual(chat);
  });

  test('the page that was asked for comes after signing in and unlocking', () => {
    expect(redirect({ page: 'sign-in' }, 'unlocked', { wish: oneChat })).toEqual(oneChat);
    expect(redirect({ page: 'unlock' }, 'unlocked', { wish: oneChat })).toEqual(oneChat);
  });

  test('after a recovery: the new password first, and only from the pages that sign in', () => {
    expect(redirect({ page: 'recover' }, 'unlocked', { needsNewPassword: true })).toEqual({ page: 'new-password' });
    expect(redirect(chat, 'unlocked', { needsNewPassword: true })).toBeNull();
  });

  test('home: whoever arrives with a session goes on to it, whoever comes back by a link stays', () => {
    expect(redirect({ page: 'home' }, 'unlocked', { arrived: true })).toEqual(chat);
    expect(redirect({ page: 'home' }, 'locked', { arrived: true })).toEqual({ page: 'unlock' });
    expect(redirect({ page: 'home' }, 'signed-out', { arrived: true })).toBeNull();
    expect(redirect({ page: 'home' }, 'unlocked')).toBeNull();
  });

  test.each(['idle', 'starting', 'broken'])('%s: nobody is sent anywhere yet', (status) => {
    for (const route of [...protectedPages, ...open]) expect(redirect(route, status, { arrived: true })).toBeNull();
  });
});
