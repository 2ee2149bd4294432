import { decodeJwt } from 'jose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { SessionAnswer, SessionsAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { BrowserCookie } from '../../../../server/api/guards/browser-cookie.ts';
import {
  cookieOf,
  mustSignIn,
  nameTagOf,
  quickSignUp,
  startLogin,
  finishLogin,
} from '../../../parts/users/without-keys/quick-account.ts';
import { databaseKinds } from '../../../parts/storage/relay-database.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';

const minute = 60_000;

function refresh(relay: TestRelay, cookie: string, headers: Record<string, string> = {}) {
  return relay.call('POST', '/v1/session/refresh', { body: { format: 1 }, headers: { cookie, ...headers } });
}

async function mustRefresh(relay: TestRelay, cookie: string) {
  const answer = await refresh(relay, cookie);
  if (answer.status !== 200) throw new Error(`refresh gave ${answer.text}`);
  return { session: answer.json as SessionAnswer, cookie: cookieOf(answer) };
}

const readAccount = (relay: TestRelay, token: string) => relay.call('GET', '/v1/account', { token });

function passTime(byMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + byMs });
  onTestFinished(() => void vi.useRealTimers());
}

describe.each(databaseKinds)('sessions on %s', (kind) => {
  test('refresh: rotates the token and gives a new access token for the same session', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice');
    const next = await mustRefresh(relay, alice.cookie);
    expect(next.cookie).not.toBe(alice.cookie);
    expect(next.session.sessionId).toBe(alice.session.sessionId);
    expect((await readAccount(relay, next.session.accessToken)).status).toBe(200);
    const third = await mustRefresh(relay, next.cookie);
    expect(third.cookie).not.toBe(next.cookie);
  });

  test('refresh: the predecessor gives the same successor again until that one has been used', async () => {
    const relay = await openTestRelay(kind);
    const { cookie } = await quickSignUp(relay, 'alice');
    const answers = await Promise.all([mustRefresh(relay, cookie), mustRefresh(relay, cookie)]);
    expect(answers[0].cookie).toBe(answers[1].cookie);
    const second = answers[0];
    const third = await mustRefresh(relay, second.cookie);

    // Now somebody has an old copy: the session is over for everyone.
    const reused = await refresh(relay, cookie);
    expect([reused.status, reused.json]).toEqual([401, { error: 'session-ended' }]);
    expect(cookieOf(reused)).toMatch(/=$/);
    expect((await refresh(relay, third.cookie)).json).toEqual({ error: 'session-ended' });
    expect((await readAccount(relay, third.session.accessToken)).json).toEqual({ error: 'session-ended' });
  });

  test('refresh: the predecessor is good for a minute at most, though its successor was never used', async () => {
    const relay = await openTestRelay(kind);
    const { cookie } = await quickSignUp(relay, 'alice');
    const first = await mustRefresh(relay, cookie);
    passTime(59_000);
    expect((await mustRefresh(relay, cookie)).cookie).toBe(first.cookie);
    passTime(2_000);
    expect((await refresh(relay, cookie)).json).toEqual({ error: 'session-ended' });
    expect((await refresh(relay, first.cookie)).json).toEqual({ error: 'session-ended' });
  });

  test('refresh: a token that was never given out is refused and ends nothing', async () => {
    const relay = await openTestRelay(kind);
    const { cookie } = await quickSignUp(relay, 'alice');
    const [name = '', value = ''] = cookie.split('=');
    const [id = '', , proof = ''] = value.split('.');
    const last = proof.endsWith('A') ? 'E' : 'A';
    for (const forged of [
      `${id}.2.${proof}`,
      `${id}.1.${proof.slice(0, -2)}${last}A`,
      `${'A'.repeat(22)}.1.${proof}`,
      'nonsense',
    ]) {
      expect((await refresh(relay, `${name}=${forged}`)).json).toEqual({ error: 'session-ended' });
    }
    expect((await refresh(relay, '')).json).toEqual({ error: 'not-signed-in' });
    await mustRefresh(relay, cookie);
  });

  test('refresh: a session that nobody used for thirty days is over, one that was used goes on', async () => {
    // A clock that jumps by weeks is doubted, unless a person has said so.
    const checkedOn = new Date(Date.now() + 28 * 24 * 60 * minute).toISOString().slice(0, 10);
    const relay = await openTestRelay(kind, { environment: { CLOCK_CHECKED_ON: checkedOn } });
    const alice = await quickSignUp(relay, 'alice');
    const bob = await quickSignUp(relay, 'bob');
    passTime(29 * 24 * 60 * minute);
    const used = await mustRefresh(relay, alice.cookie);
    passTime(2 * 24 * 60 * minute);
    expect((await refresh(relay, bob.cookie)).json).toEqual({ error: 'session-ended' });
    await mustRefresh(relay, used.cookie);
  });

  test('access token: good for five minutes, for its session only, and not with another key or purpose', async () => {
    const relay = await openTestRelay(kind);
    const { session } = await quickSignUp(relay, 'alice');
    const { accessToken } = session;
    expect(Object.keys(decodeJwt(accessToken)).toSorted()).toEqual(['exp', 'iat', 'iss', 'sid', 'sub', 'use']);
    expect((await readAccount(relay, accessToken)).status).toBe(200);
    const [header = '', claims = '', signature = ''] = accessToken.split('.');
    const other = Buffer.from(JSON.stringify({ ...decodeJwt(accessToken), exp: 9_999_999_999 })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const foreign = await openTestRelay('sqlite');
    const foreignToken = (await quickSignUp(foreign, 'alice')).session.accessToken;
    for (const token of [
      `${header}.${other}.${signature}`,
      `${none}.${claims}.`,
      `${header}.${claims}.${'A'.repeat(86)}`,
      foreignToken,
      'nonsense',
    ]) {
      expect((await readAccount(relay, token)).json).toEqual({ error: 'not-signed-in' });
    }
    expect((await relay.call('GET', '/v1/account')).json).toEqual({ error: 'not-signed-in' });
    passTime(5 * minute + 1_000);
    expect((await readAccount(relay, accessToken)).json).toEqual({ error: 'not-signed-in' });
  });

  test('signOut: ends the session at once, takes its cookie away, and leaves other sessions alone', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'one');
    const other = await mustSignIn(relay, 'alice', 'one');
    const token = alice.session.accessToken;
    const call = { body: { format: 1 }, token, headers: { cookie: alice.cookie } };
    const answer = await relay.call('POST', '/v1/sign-out', call);
    expect([answer.status, answer.json]).toEqual([200, { format: 1 }]);
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-sotto-[0-9a-f]{6}=; Path=\/; Max-Age=0; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect((await readAccount(relay, token)).json).toEqual({ error: 'session-ended' });
    expect((await refresh(relay, alice.cookie)).json).toEqual({ error: 'session-ended' });
    expect((await readAccount(relay, other.answer.session.accessToken)).status).toBe(200);
    // A later sign-in of the same browser keeps its cookie when the earlier tab signs out.
    const third = await mustSignIn(relay, 'alice', 'one');
    const late = await relay.call('POST', '/v1/sign-out', {
      body: { format: 1 },
      token: third.answer.session.accessToken,
      headers: { cookie: other.cookie },
    });
    expect([late.status, late.headers.get('set-cookie')]).toEqual([200, null]);
  });

  test('sessions: listed with the current one marked, ended one by one, and never those of another account', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'one');
    const second = await mustSignIn(relay, 'alice', 'one');
    const bob = await quickSignUp(relay, 'bob', 'two');
    const { accessToken: token } = alice.session;
    const list = async () => (await relay.call('GET', '/v1/sessions', { token })).json as SessionsAnswer;
    expect(new Set((await list()).sessions.map(({ sessionId, current }) => `${sessionId} ${current}`))).toEqual(
      new Set([`${alice.session.sessionId} true`, `${second.answer.session.sessionId} false`]),
    );
    const end = (id: string) => relay.call('DELETE', `/v1/sessions/${id}`, { token });
    expect((await end(bob.session.sessionId)).status).toBe(200);
    expect((await readAccount(relay, bob.session.accessToken)).status).toBe(200);
    expect((await end(second.answer.session.sessionId)).status).toBe(200);
    expect((await readAccount(relay, second.answer.session.accessToken)).json).toEqual({ error: 'session-ended' });
    expect((await list()).sessions).toHaveLength(1);
    expect((await end('nonsense')).json).toEqual({ error: 'bad-request' });
  });

  test('create: the least recently used session beyond a hundred ends', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'one');
    const first = await mustSignIn(relay, 'alice', 'one');
    await mustRefresh(relay, alice.cookie);
    for (let i = 0; i < 99; i++) await mustSignIn(relay, 'alice', 'one');
    expect((await readAccount(relay, first.answer.session.accessToken)).json).toEqual({ error: 'session-ended' });
    expect((await readAccount(relay, alice.session.accessToken)).status).toBe(200);
  });

  test('unlock: goes on with the same session, demands the password, and fails once the session has ended', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'one');
    const unlock = async (password: string, between: () => Promise<unknown> = async () => undefined) => {
      const start = await startLogin(password);
      const started = await relay.call('POST', '/v1/unlock/start', {
        body: { format: 1, loginRequest: start.request },
        token: alice.session.accessToken,
      });
      const { loginId, loginResponse } = started.json as { loginId: string; loginResponse: string };
      await between();
      const loginFinish = finishLogin(start, loginResponse, password) ?? 'A'.repeat(86);
      return relay.call('POST', '/v1/sign-in/finish', { body: { format: 1, loginId, loginFinish } });
    };
    const unlocked = await unlock('one');
    expect(unlocked.json).toMatchObject({
      session: { sessionId: alice.session.sessionId },
      keys: { keyslot: { kind: 'password' } },
    });
    // The session's own cookie stays as it is.
    const named = unlocked.headers.getSetCookie().map((line) => line.split('=')[0]);
    expect(named).toEqual([expect.stringMatching(/^__Host-sotto-device-/)]);
    expect((await unlock('two')).json).toEqual({ error: 'sign-in-failed' });
    const signOut = () => relay.call('POST', '/v1/sign-out', { body: { format: 1 }, token: alice.session.accessToken });
    expect((await unlock('one', signOut)).json).toEqual({ error: 'sign-in-failed' });
  });
});

test('cookie routes: a call that does not show our own origin is refused', async () => {
  const relay = await openTestRelay('sqlite');
  const { cookie } = await quickSignUp(relay, 'alice');
  const call = async (headers: Record<string, string>) => {
    const options = { body: { format: 1 }, headers: { cookie, 'sec-fetch-site': '', ...headers } };
    return (await relay.call('POST', '/v1/session/refresh', options)).json;
  };
  const refused = { error: 'wrong-origin' };
  for (const site of ['cross-site', 'same-site', 'none']) {
    expect(await call({ 'sec-fetch-site': site })).toEqual(refused);
  }
  for (const origin of [
    'null',
    'https://evil.example',
    'http://localhost:8788',
    'http://localhost:8787.evil.example',
  ]) {
    expect(await call({ origin })).toEqual(refused);
    expect(await call({ origin, 'sec-fetch-site': 'same-origin' })).toEqual(refused);
  }
  expect(await call({ origin: 'http://localhost:8787' })).toMatchObject({ format: 1 });
});

test('cookie: ours is found behind as many others as the head of a call may hold', () => {
  const cookie = new BrowserCookie('sotto-abc', 1_000, true);
  const [ours = ''] = cookie.write('ours', { host: 'chat.example', userAgent: null }).split(';');
  for (const others of ['', 'other=cookie; ', 'other=cookie; '.repeat(1_100)]) {
    expect(cookie.read(`${others}${ours}`)).toBe('ours');
    expect(cookie.read(`${others}end=1`)).toBe(null);
  }
});

test('cookie: __Host- and Secure over https; the plain name only where a browser would drop that one', async () => {
  const relay = await openTestRelay('sqlite');
  const https = await openTestRelay('sqlite', { environment: { PUBLIC_URL: 'https://chat.example' } });
  const lineFor = async (on: TestRelay, name: string, headers: Record<string, string>) => {
    await quickSignUp(on, name, 'one');
    const start = await startLogin('one');
    const started = await on.call('POST', '/v1/sign-in/start', {
      body: { format: 1, nameTag: nameTagOf(name), loginRequest: start.request },
    });
    const { loginId, loginResponse } = started.json as { loginId: string; loginResponse: string };
    const body = { format: 1, loginId, loginFinish: finishLogin(start, loginResponse, 'one') };
    return (await on.call('POST', '/v1/sign-in/finish', { body, headers })).headers.getSetCookie()[0] ?? '';
  };
  const safari = {
    'user-agent': 'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  };
  const secure = /^__Host-sotto-[0-9a-f]{6}=[^;]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/;
  const plain = /^sotto-[0-9a-f]{6}=[^;]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/;
  expect(await lineFor(relay, 'alice', {})).toMatch(secure);
  expect(await lineFor(relay, 'bob', safari)).toMatch(plain);
  expect(await lineFor(relay, 'carol', { host: '127.0.0.1:8787' })).toMatch(plain);
  expect(await lineFor(https, 'alice', { ...safari, host: 'chat.example' })).toMatch(secure);
});
