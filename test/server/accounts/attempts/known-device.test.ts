import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RecoveryStartAnswer, SignInStartAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { encodeRecoveryClaim } from '../../../../crypto/sign-in/recovery-signature.ts';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { generateServerKeys } from '../../../../server/accounts/keys/server-keys.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import { ed25519 } from '@noble/curves/ed25519.js';
import {
  finishLogin,
  nameTagOf,
  type QuickAccount,
  quickSignUp,
  randomText,
  startLogin,
  uselessFinish,
} from '../../../parts/users/without-keys/quick-account.ts';
import { databaseKinds } from '../../../parts/storage/relay-database.ts';
import { createDatabase } from '../../../parts/storage/shared-postgres.ts';
import { type CallAnswer, openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';

/* A browser that was signed in before has attempts of its own. The cookie is what it holds; '' is another browser. */

const deviceLine = (answer: CallAnswer) =>
  answer.headers.getSetCookie().find((line) => /^(__Host-)?sotto-device-/.test(line)) ?? '';
const deviceCookie = (answer: CallAnswer) => deviceLine(answer).split(';')[0] ?? '';

async function begin(relay: TestRelay, name: string, cookie = '', password = 'a guess') {
  const start = await startLogin(password);
  const body = { format: 1, nameTag: nameTagOf(name), loginRequest: start.request };
  return { start, answer: await relay.call('POST', '/v1/sign-in/start', { body, headers: { cookie } }) };
}

async function signIn(relay: TestRelay, name: string, password: string, cookie = ''): Promise<CallAnswer> {
  const { start, answer } = await begin(relay, name, cookie, password);
  if (answer.status !== 200) return answer;
  const { loginId, loginResponse } = answer.json as SignInStartAnswer;
  const loginFinish = finishLogin(start, loginResponse, password) ?? uselessFinish(64);
  const body = { format: 1, loginId, loginFinish };
  return relay.call('POST', '/v1/sign-in/finish', { body, headers: { cookie } });
}

/** One request many times over: each is an attempt. @returns the statuses. */
async function guess(relay: TestRelay, name: string, times: number, cookie = ''): Promise<number[]> {
  const { request } = await startLogin('a guess');
  const body = { format: 1, nameTag: nameTagOf(name), loginRequest: request };
  const seen: number[] = [];
  for (let index = 0; index < times; index++) {
    seen.push((await relay.call('POST', '/v1/sign-in/start', { body, headers: { cookie } })).status);
  }
  return seen;
}

const thirty = Array.from({ length: 30 }, () => 200);

/** Alice with a browser that she signed in with, and strangers who have used up the attempts on her name. */
async function lockOut(relay: TestRelay): Promise<{ alice: QuickAccount; device: string }> {
  const alice = await quickSignUp(relay, 'alice', 'hers');
  const device = deviceCookie(await signIn(relay, 'alice', 'hers'));
  expect(await guess(relay, 'alice', 31)).toEqual([...thirty, 429]);
  return { alice, device };
}

function beginRecovery(relay: TestRelay, cookie: string) {
  const body = { format: 1, nameTag: nameTagOf('alice') };
  return relay.call('POST', '/v1/recovery/start', { body, headers: { cookie } });
}

function finishRecovery(relay: TestRelay, { recoverySecretKey }: QuickAccount, started: CallAnswer, cookie: string) {
  const { challengeId, challenge, issuedAtMs } = started.json as RecoveryStartAnswer;
  const claim = encodeRecoveryClaim({
    challenge: fromBase64Url(challenge),
    nameTag: fromBase64Url(nameTagOf('alice')),
    issuedAtMs,
  });
  const body = { format: 1, challengeId, signature: toBase64Url(ed25519.sign(claim, recoverySecretKey)) };
  return relay.call('POST', '/v1/recovery/finish', { body, headers: { cookie } });
}

describe.each(databaseKinds)('a browser that was signed in before, on %s', (kind) => {
  test('signs in whatever strangers try with the name; a new one waits', async () => {
    const relay = await openTestRelay(kind);
    const { device } = await lockOut(relay);
    expect((await signIn(relay, 'alice', 'hers', device)).status).toBe(200);
    expect((await signIn(relay, 'alice', 'hers')).json).toEqual({ error: 'too-many-requests' });
    // However long they go on.
    expect(new Set(await guess(relay, 'alice', 300))).toEqual(new Set([429]));
    expect((await signIn(relay, 'alice', 'hers', device)).status).toBe(200);
  });

  test('has attempts of its own and no others: a stolen cookie takes none from the name or from another device', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice', 'hers');
    const stolen = deviceCookie(await signIn(relay, 'alice', 'hers'));
    const other = deviceCookie(await signIn(relay, 'alice', 'hers'));
    expect(await guess(relay, 'alice', 32, stolen)).toEqual([...thirty, 429, 429]);
    expect((await signIn(relay, 'alice', 'hers', other)).status).toBe(200);
    expect((await signIn(relay, 'alice', 'hers')).status).toBe(200);
    // With the name's used up as well there is no way round.
    await guess(relay, 'alice', 30);
    expect(await guess(relay, 'alice', 1, stolen)).toEqual([429]);
  });

  test('signs in as often as it likes: what succeeds is not counted, wherever it was counted', async () => {
    const relay = await openTestRelay(kind);
    const { device } = await lockOut(relay);
    for (let index = 0; index < 32; index++) {
      expect((await signIn(relay, 'alice', 'hers', device)).status).toBe(200);
    }
    expect(await guess(relay, 'alice', 31, device)).toEqual([...thirty, 429]);
  });

  test('is known by no cookie but its own: forged, cut, another name’s and another relay’s count like none', async () => {
    const relay = await openTestRelay(kind);
    const { device } = await lockOut(relay);
    await quickSignUp(relay, 'bob', 'his');
    const bobs = deviceCookie(await signIn(relay, 'bob', 'his'));
    const elsewhere = await openTestRelay('sqlite');
    await quickSignUp(elsewhere, 'alice', 'hers');
    const foreign = deviceCookie(await signIn(elsewhere, 'alice', 'hers')).split('=')[1] ?? '';
    const [name = '', value = ''] = device.split('=');
    const [version, id, proof = ''] = value.split('.');
    const bobsProof = bobs.split('.').at(-1) ?? '';
    const forged = [
      '',
      `${version}.${id}`,
      `${version}.${randomText(16)}.${proof}`,
      `${version}.${id}.${randomText(32)}`,
      `${version}.${id}.${bobsProof}`,
      `1.${id}.${proof}`,
      `${version}.${id}.${proof}.`,
      `${version}.${id}${`.${randomText(32)}`.repeat(8)}.${proof}`,
      ` ${version}.${id}.${proof.slice(0, -1)}`,
      foreign,
    ];
    for (const each of forged) expect(await guess(relay, 'alice', 1, `${name}=${each}`), each).toEqual([429]);
    expect(await guess(relay, 'alice', 1, bobs)).toEqual([429]);
    expect(await guess(relay, 'alice', 1, device)).toEqual([200]);
  });

  test('recovers by the phrase whatever strangers try with the name; a new one waits', async () => {
    const relay = await openTestRelay(kind);
    const { alice, device } = await lockOut(relay);
    for (let index = 0; index < 10; index++) expect((await beginRecovery(relay, '')).status).toBe(200);
    expect((await beginRecovery(relay, '')).status).toBe(429);
    for (let index = 0; index < 12; index++) {
      const started = await beginRecovery(relay, device);
      expect(started.status).toBe(200);
      expect((await finishRecovery(relay, alice, started, device)).status).toBe(200);
    }
  });

  test('unlocks a session whatever strangers try with the name, within a limit of the session', async () => {
    const relay = await openTestRelay(kind);
    const { alice } = await lockOut(relay);
    const { accessToken: token } = alice.session;
    const start = await startLogin('hers');
    const unlock = () =>
      relay.call('POST', '/v1/unlock/start', { body: { format: 1, loginRequest: start.request }, token });
    const answer = await unlock();
    const { loginId, loginResponse } = answer.json as SignInStartAnswer;
    const body = { format: 1, loginId, loginFinish: finishLogin(start, loginResponse, 'hers') };
    expect((await relay.call('POST', '/v1/sign-in/finish', { body })).status).toBe(200);
    const seen: number[] = [];
    for (let index = 0; index < 31; index++) seen.push((await unlock()).status);
    expect(seen).toEqual([...thirty, 429]);
  });

  test('is told by the cookie of no name and not whether a name exists; the tables hold no id of it', async () => {
    const relay = await openTestRelay(kind);
    const { alice, device } = await lockOut(relay);
    const known = await begin(relay, 'alice2', device);
    await quickSignUp(relay, 'alice2', 'hers');
    const taken = await begin(relay, 'alice2', device);
    const shape = ({ answer }: typeof known) => [answer.status, answer.text.length, [...answer.headers.keys()].join()];
    expect(shape(known)).toEqual(shape(taken));
    expect([deviceLine(known.answer), deviceLine(taken.answer)]).toEqual(['', '']);
    expect(deviceLine(await signIn(relay, 'alice2', 'wrong', device))).toBe('');
    // The cookie has one shape for every name, and is another each time.
    const values = ['alice', 'alice', 'alice2'].map(async (name) => deviceCookie(await signIn(relay, name, 'hers')));
    const [first = '', ...others] = (await Promise.all(values)).filter((value) => value !== '');
    expect(first).toMatch(/^__Host-sotto-device-[0-9a-f]{6}=2\.[\w-]{22}\.[\w-]{43}$/);
    for (const other of others) expect([other.length, other === first]).toEqual([first.length, false]);
    expect(device).not.toContain(nameTagOf('alice'));
    await relay.close();
    const database = await openDatabase(relay.settings);
    const rows = await database.db.selectFrom('rate_counters').selectAll().execute();
    const names = await database.db.selectFrom('accounts').select('name_hash').execute();
    await database.close();
    const id = device.split('.')[1] ?? '';
    const subjects = rows.map(({ subject }) => toBase64Url(new Uint8Array(subject)));
    expect(subjects.some((subject) => subject.includes(id))).toBe(false);
    for (const { name_hash: hash } of names) expect(device).not.toContain(toBase64Url(new Uint8Array(hash)));
    expect(alice.cookie).not.toContain(id);
  });
});

test('the device cookie is for no script and no other site, outlasts sign-out, and begins anew with each sign-in', async () => {
  const relay = await openTestRelay('sqlite');
  const https = await openTestRelay('sqlite', { environment: { PUBLIC_URL: 'https://chat.example' } });
  const ending = 'Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict';
  for (const on of [relay, https]) await quickSignUp(on, 'alice', 'hers');
  const secure = await signIn(https, 'alice', 'hers');
  expect(deviceLine(secure)).toMatch(new RegExp(`^__Host-sotto-device-[0-9a-f]{6}=[^;]+; ${ending}; Secure$`));
  // The session's own is beside it.
  expect(secure.headers.getSetCookie()).toHaveLength(2);

  const first = await signIn(relay, 'alice', 'hers');
  const device = deviceCookie(first);
  const { session } = first.json as { session: { accessToken: string } };
  const cookie = `${first.headers.getSetCookie()[0]?.split(';')[0]}; ${device}`;
  const out = await relay.call('POST', '/v1/sign-out', {
    body: { format: 1 },
    token: session.accessToken,
    headers: { cookie },
  });
  expect(out.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual([cookie.split('=')[0]]);
  expect(deviceCookie(await signIn(relay, 'alice', 'hers', device))).toBe(device);
});

test('the device cookie remembers eight names, the newest first, and no more', async () => {
  const relay = await openTestRelay('sqlite');
  let device = '';
  for (let index = 0; index < 9; index++) {
    await quickSignUp(relay, `person-${index}`, 'theirs');
    device = deviceCookie(await signIn(relay, `person-${index}`, 'theirs', device));
  }
  expect(device.split('.')).toHaveLength(10);
  for (const name of ['person-0', 'person-1', 'person-8']) await guess(relay, name, 30);
  const statuses = ['person-0', 'person-1', 'person-8'].map((name) => guess(relay, name, 1, device));
  expect(await Promise.all(statuses)).toEqual([[429], [200], [200]]);
});

test('the device cookie is known after a restart, and to every relay with the same keys', async () => {
  const environment = { DATABASE_URL: await createDatabase(), SERVER_KEYS: await generateServerKeys() };
  const before = await openTestRelay('sqlite', { environment });
  const { device } = await lockOut(before);
  await before.close();
  const after = await openTestRelay('sqlite', { environment });
  expect((await signIn(after, 'alice', 'hers')).status).toBe(429);
  expect((await signIn(after, 'alice', 'hers', device)).status).toBe(200);
});

describe('the device cookie inside, whatever the browser keeps', () => {
  const dayMs = 24 * 3_600_000;
  afterEach(() => void vi.useRealTimers());

  test('is good for 320 to 400 days, wherever in a period it began, and no longer', async () => {
    const relay = await openTestRelay('sqlite');
    const [beginning, end] = [80 * 257 * dayMs, 80 * 258 * dayMs - 1];
    for (const [name, fromMs] of [
      ['early', beginning],
      ['late', end],
    ] as const) {
      vi.useFakeTimers({ toFake: ['Date'], now: fromMs });
      await quickSignUp(relay, name, 'hers');
      const device = deviceCookie(await signIn(relay, name, 'hers'));
      const last = name === 'early' ? 400 * dayMs - 1 : 320 * dayMs;
      for (const [afterMs, isKnown] of [
        [last, true],
        [last + 1, false],
      ] as const) {
        vi.setSystemTime(fromMs + afterMs);
        await guess(relay, name, 30);
        expect(await guess(relay, name, 1)).toEqual([429]);
        expect(await guess(relay, name, 1, device), `${name} after ${afterMs}`).toEqual([isKnown ? 200 : 429]);
      }
    }
  });

  test('begins anew with each sign-in, holds one proof a name, and goes on counting among the same attempts', async () => {
    const relay = await openTestRelay('sqlite');
    vi.useFakeTimers({ toFake: ['Date'], now: 80 * 257 * dayMs });
    await quickSignUp(relay, 'alice', 'hers');
    let device = deviceCookie(await signIn(relay, 'alice', 'hers'));
    const first = device;
    for (let count = 0; count < 3; count++) {
      vi.setSystemTime(Date.now() + 300 * dayMs);
      device = deviceCookie(await signIn(relay, 'alice', 'hers', device));
      expect([device.split('.').length, device.split('.')[1]]).toEqual([3, first.split('.')[1]]);
    }
    expect(device).not.toBe(first);
    await guess(relay, 'alice', 30);
    expect(await guess(relay, 'alice', 1, first)).toEqual([429]);
    expect(await guess(relay, 'alice', 31, device)).toEqual([...thirty, 429]);
  });

  test('is none that a clock far ahead has made', async () => {
    const relay = await openTestRelay('sqlite');
    vi.useFakeTimers({ toFake: ['Date'], now: 80 * 259 * dayMs });
    await quickSignUp(relay, 'alice', 'hers');
    const device = deviceCookie(await signIn(relay, 'alice', 'hers'));
    vi.setSystemTime(80 * 259 * dayMs - 1);
    await guess(relay, 'alice', 30);
    expect(await guess(relay, 'alice', 1, device)).toEqual([429]);
  });
});
