import { expect, test } from 'vitest';
import { parsePath } from '../../../../client/page/state/router.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';

test('pages: where the client has one it is served, and everywhere else the answer is 404', async () => {
  const relay = await openTestRelay('sqlite');
  const id = 'A'.repeat(22);
  const own = ['/', '/create-account', '/sign-in', '/recover', '/unlock', '/new-password', '/chat', `/chat/${id}`];
  const strange = [
    '/metrics',
    '/privacy',
    '/admin',
    '/chat/abc',
    `/chat/${id}/x`,
    '/api',
    '/v2',
    '/.env',
    '/v1x',
    '/CHAT',
  ];
  for (const path of [...own, '/chat/', '/sign-in/']) {
    // The client's own list says the same; it may be built here or not.
    expect([path, parsePath(path).page === 'not-found']).toEqual([path, false]);
    expect([path, (await relay.call('GET', path)).status]).toEqual([path, expect.toBeOneOf([200, 503])]);
  }
  for (const path of strange) {
    expect([path, parsePath(path).page]).toEqual([path, 'not-found']);
    expect([path, (await relay.call('GET', path)).status]).toEqual([path, 404]);
  }
  const missing = await relay.call('GET', '/privacy');
  expect([missing.headers.get('content-type'), missing.text]).toEqual([
    'text/html; charset=utf-8',
    expect.stringContaining('There is no such page') as string,
  ]);
});

test('pages: over plain http under another name than this machine’s, one page says why nothing works', async () => {
  const relay = await openTestRelay('sqlite');
  const page = async (host: string) => {
    const answer = await relay.call('GET', '/chat', { headers: { host } });
    return answer.status === 403 && answer.text.includes('Sotto needs https here');
  };
  for (const host of ['192.168.1.7:8787', 'chat.example', '127.0.0.1.evil.example']) {
    expect(await page(host)).toBe(true);
  }
  for (const host of ['localhost:8787', '127.0.0.1:8787', '[::1]:8787']) expect(await page(host)).toBe(false);
  const https = await openTestRelay('sqlite', { environment: { PUBLIC_URL: 'https://chat.example' } });
  expect((await https.call('GET', '/chat', { headers: { host: 'chat.example' } })).text).not.toContain('needs https');
});
