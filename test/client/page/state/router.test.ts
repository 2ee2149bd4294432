import { describe, expect, test } from 'vitest';
import { parsePath, pathOf, titleOf, type Route } from '../../../../client/page/state/router.ts';

const id = 'AAAAAAAAAAAAAAAAAAAAAA';
const routes: readonly (readonly [string, Route])[] = [
  ['/', { page: 'home' }],
  ['/create-account', { page: 'create-account' }],
  ['/sign-in', { page: 'sign-in' }],
  ['/recover', { page: 'recover' }],
  ['/unlock', { page: 'unlock' }],
  ['/new-password', { page: 'new-password' }],
  ['/chat', { page: 'chat', conversationId: null }],
  [`/chat/${id}`, { page: 'chat', conversationId: id }],
];

describe('parsePath', () => {
  test.each(routes)('%s: its page, and back', (path, route) => {
    expect(parsePath(path)).toEqual(route);
    expect(pathOf(route)).toBe(path);
  });

  test('a slash at the end changes nothing', () => {
    expect(parsePath('/chat/')).toEqual({ page: 'chat', conversationId: null });
    expect(parsePath(`/chat/${id}/`)).toEqual({ page: 'chat', conversationId: id });
  });

  test.each([
    '/nowhere',
    '/chat/short',
    `/chat/${id}x`,
    `/chat/${id}/more`,
    '/chat/<script>',
    '/constructor',
    '/__proto__',
  ])('%s: no page', (path) => {
    expect(parsePath(path)).toEqual({ page: 'not-found' });
  });
});

describe('titleOf', () => {
  test('a chat has one title, whatever it is about: browsers write titles to disk', () => {
    expect(titleOf({ page: 'chat', conversationId: id })).toBe(titleOf({ page: 'chat', conversationId: null }));
  });
});
