import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type {
  SessionAnswer,
  SignInStartAnswer,
  StepUpProof,
} from '../../../crypto/protocol/messages/account-messages.ts';
import { forgetAttempts } from '../../../server/accounts/forget-attempts.ts';
import { openDatabase } from '../../../server/storage/open-database.ts';
import {
  cookieOf,
  finishLogin,
  hashOfHead,
  mustSignIn,
  preparePasswordChange,
  provePassword,
  provePhrase,
  quickSignIn,
  quickSignUp,
  randomText,
  sealedHead,
  startLogin,
  uselessFinish,
} from '../../parts/users/without-keys/quick-account.ts';
import { databaseKinds } from '../../parts/storage/relay-database.ts';
import { openTestRelay, type TestRelay } from '../../parts/relay/in-process/test-relay.ts';

const send = (relay: TestRelay, token: string, body: unknown) =>
  relay.call('POST', '/v1/password/finish', { body, token });

const refused = { status: 403, json: { error: 'proof-failed' } };

async function signUpAndPrepare(relay: TestRelay) {
  const alice = await quickSignUp(relay, 'alice', 'old');
  const { accessToken: token } = alice.session;
  return { alice, token, body: await preparePasswordChange(relay, alice, 'new') };
}

function begin(relay: TestRelay, token: string, loginRequest: string) {
  const body = { format: 1, factor: 'password', act: 'change-password', bodyDigest: randomText(32), loginRequest };
  return relay.call('POST', '/v1/step-up/start', { body, token });
}

function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
  onTestFinished(() => void vi.useRealTimers());
}

async function renewed(relay: TestRelay, cookie: string): Promise<string> {
  const answer = await relay.call('POST', '/v1/session/refresh', { body: { format: 1 }, headers: { cookie } });
  return (answer.json as SessionAnswer).accessToken;
}

describe.each(databaseKinds)('a fresh proof on %s', (kind) => {
  test('a stolen access token changes no password without it; with it, the owner does', async () => {
    const relay = await openTestRelay(kind);
    const { token, body } = await signUpAndPrepare(relay);
    expect(await send(relay, token, body)).toMatchObject({ status: 400, json: { error: 'bad-request' } });
    for (const guess of ['a guess', 'new']) {
      const proof = await provePassword(relay, token, guess, body);
      expect(await send(relay, token, { ...body, proof })).toMatchObject(refused);
    }
    // The session goes on, and the password is what it was.
    expect((await relay.call('GET', '/v1/account', { token })).status).toBe(200);
    await mustSignIn(relay, 'alice', 'old');

    const proof = await provePassword(relay, token, 'old', body);
    expect((await send(relay, token, { ...body, proof })).status).toBe(200);
    await mustSignIn(relay, 'alice', 'new');
  });

  test('is good once', async () => {
    const relay = await openTestRelay(kind);
    const { token, body } = await signUpAndPrepare(relay);
    const whole = { ...body, proof: await provePassword(relay, token, 'old', body) };
    expect((await send(relay, token, whole)).status).toBe(200);
    expect(await send(relay, token, whole)).toMatchObject(refused);
  });

  test('that was wrong is used up', async () => {
    const relay = await openTestRelay(kind);
    const { token, body } = await signUpAndPrepare(relay);
    const proof = await provePassword(relay, token, 'old', body);
    const wrong = { ...proof, loginFinish: uselessFinish(64) };
    expect(await send(relay, token, { ...body, proof: wrong })).toMatchObject(refused);
    expect(await send(relay, token, { ...body, proof })).toMatchObject(refused);
  });

  test('is for one body: whatever is changed in it afterwards is refused', async () => {
    const relay = await openTestRelay(kind);
    const { token, alice, body } = await signUpAndPrepare(relay);
    const other = await preparePasswordChange(relay, alice, 'another');
    const changes = {
      registrationRecord: other.registrationRecord,
      keyslot: { ...body.keyslot, body: randomText(166) },
      keyslotList: { body: randomText(200) },
      expectedHead: randomText(32),
      head: sealedHead(2),
    };
    for (const [name, value] of Object.entries(changes)) {
      const proof = await provePassword(relay, token, 'old', body);
      expect(await send(relay, token, { ...body, [name]: value, proof }), name).toMatchObject(refused);
    }
    const proof = await provePassword(relay, token, 'old', body);
    // The order of members is no part of it.
    const reordered = Object.fromEntries(Object.entries({ ...body, proof }).toReversed());
    expect((await send(relay, token, reordered)).status).toBe(200);
  });

  test('is for one session: another of the account, and another account, are refused', async () => {
    const relay = await openTestRelay(kind);
    const { token, alice } = await signUpAndPrepare(relay);
    const second = (await mustSignIn(relay, 'alice', 'old')).answer.session;
    const bob = await quickSignUp(relay, 'bob', 'his');
    const body = await preparePasswordChange(relay, { session: second, head: alice.head }, 'new');
    const proof = await provePassword(relay, token, 'old', body);
    expect(await send(relay, second.accessToken, { ...body, proof })).toMatchObject(refused);
    const bobs = await preparePasswordChange(relay, bob, 'new');
    const hers = await provePassword(relay, token, 'old', bobs);
    expect(await send(relay, bob.session.accessToken, { ...bobs, proof: hers })).toMatchObject(refused);

    const own = await provePassword(relay, second.accessToken, 'old', body);
    expect((await send(relay, second.accessToken, { ...body, proof: own })).status).toBe(200);
  });

  test('is good for five minutes', async () => {
    const relay = await openTestRelay(kind);
    const { token, alice, body } = await signUpAndPrepare(relay);
    const late = await provePassword(relay, token, 'old', body);
    passTime(301_000);
    const answer = await relay.call('POST', '/v1/session/refresh', {
      body: { format: 1 },
      headers: { cookie: alice.cookie },
    });
    const { accessToken } = answer.json as SessionAnswer;
    expect(await send(relay, accessToken, { ...body, proof: late })).toMatchObject(refused);

    const inTime = await provePassword(relay, accessToken, 'old', body);
    passTime(299_000);
    const again = await renewed(relay, cookieOf(answer));
    expect((await send(relay, again, { ...body, proof: inTime })).status).toBe(200);
  });

  test('that was begun before another change of the password ends with it', async () => {
    const relay = await openTestRelay(kind);
    const { token, alice, body } = await signUpAndPrepare(relay);
    const head = { counter: 2, hash: hashOfHead(body.head) };
    const next = await preparePasswordChange(relay, { session: alice.session, head }, 'third');
    const begun = await provePassword(relay, token, 'old', next);
    const proof = await provePassword(relay, token, 'old', body);
    expect((await send(relay, token, { ...body, proof })).status).toBe(200);
    expect(await send(relay, token, { ...next, proof: begun })).toMatchObject(refused);
    const newer = await provePassword(relay, token, 'new', next);
    expect((await send(relay, token, { ...next, proof: newer })).status).toBe(200);
  });

  test('is no sign-in and no unlock, and neither is one', async () => {
    const relay = await openTestRelay(kind);
    const { token, body } = await signUpAndPrepare(relay);
    const start = await startLogin('old');
    const unlocking = await relay.call('POST', '/v1/unlock/start', {
      body: { format: 1, loginRequest: start.request },
      token,
    });
    const { loginId, loginResponse } = unlocking.json as SignInStartAnswer;
    const loginFinish = finishLogin(start, loginResponse, 'old');
    const proof = { factor: 'password', stepUpId: loginId, loginFinish };
    expect(await send(relay, token, { ...body, proof })).toMatchObject(refused);
    const login = { format: 1, loginId, loginFinish };
    expect((await relay.call('POST', '/v1/sign-in/finish', { body: login })).status).toBe(200);

    const own = (await provePassword(relay, token, 'old', body)) as StepUpProof & { readonly factor: 'password' };
    const asLogin = { format: 1, loginId: own.stepUpId, loginFinish: own.loginFinish };
    const answer = await relay.call('POST', '/v1/sign-in/finish', { body: asLogin });
    expect(answer.json).toEqual({ error: 'sign-in-failed' });
    expect((await send(relay, token, { ...body, proof: own })).status).toBe(200);
  });

  test('by the key of the recovery phrase is as good; by another key, or for another body, it is refused', async () => {
    const relay = await openTestRelay(kind);
    const { token, alice, body } = await signUpAndPrepare(relay);
    const bob = await quickSignUp(relay, 'bob', 'his');
    const byBob = await provePhrase(relay, token, bob.recoverySecretKey, body);
    expect(await send(relay, token, { ...body, proof: byBob })).toMatchObject(refused);
    const elsewhere = await provePhrase(relay, token, alice.recoverySecretKey, { ...body, head: sealedHead(2) });
    expect(await send(relay, token, { ...body, proof: elsewhere })).toMatchObject(refused);
    // One factor's answer to the other's question.
    const { stepUpId } = await provePhrase(relay, token, alice.recoverySecretKey, body);
    const password = await provePassword(relay, token, 'old', body);
    expect(await send(relay, token, { ...body, proof: { ...password, stepUpId } })).toMatchObject(refused);

    const proof = await provePhrase(relay, token, alice.recoverySecretKey, body);
    expect((await send(relay, token, { ...body, proof })).status).toBe(200);
    expect(await send(relay, token, { ...body, proof })).toMatchObject(refused);
    await mustSignIn(relay, 'alice', 'new');
  });

  test('guesses with a stolen token end, and keep the owner neither from signing in nor from changing the password', async () => {
    const relay = await openTestRelay(kind);
    const { token, alice } = await signUpAndPrepare(relay);
    const { request } = await startLogin('a guess');
    const guesses = async (on: string, count: number) => {
      const seen: number[] = [];
      for (let index = 0; index < count; index++) seen.push((await begin(relay, on, request)).status);
      return seen;
    };
    expect(await guesses(token, 12)).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429]);
    expect((await begin(relay, token, request)).json).toEqual({ error: 'too-many-requests' });
    expect((await relay.call('GET', '/v1/account', { token })).status).toBe(200);
    const owner = (await mustSignIn(relay, 'alice', 'old')).answer.session;
    const body = await preparePasswordChange(relay, { session: owner, head: alice.head }, 'new');
    const proof = await provePassword(relay, owner.accessToken, 'old', body);
    expect((await send(relay, owner.accessToken, { ...body, proof })).status).toBe(200);
    expect((await quickSignIn(relay, 'alice', 'new')).finished?.status).toBe(200);
  });

  test('guesses of all sessions together end as well, and proofs that hold are not counted', async () => {
    const relay = await openTestRelay(kind);
    const { token, body } = await signUpAndPrepare(relay);
    const conflicting = { ...body, expectedHead: randomText(32) };
    for (let index = 0; index < 32; index++) {
      const proof = await provePassword(relay, token, 'old', conflicting);
      expect((await send(relay, token, { ...conflicting, proof })).json).toEqual({ error: 'head-conflict' });
    }
    const { request } = await startLogin('a guess');
    const seen: number[] = [];
    for (let session = 0; session < 4; session++) {
      const { accessToken } = (await mustSignIn(relay, 'alice', 'old')).answer.session;
      for (let index = 0; index < 10; index++) seen.push((await begin(relay, accessToken, request)).status);
    }
    const expected = [...Array.from({ length: 30 }, () => 200), ...Array.from({ length: 10 }, () => 429)];
    expect(seen).toEqual(expected);
  });
});

test('a fresh proof is for one act: with that of another, the password stays', async () => {
  const relay = await openTestRelay('postgres');
  const { token, alice, body } = await signUpAndPrepare(relay);
  const database = await openDatabase(relay.settings);
  onTestFinished(() => database.close());
  for (const prove of [
    () => provePassword(relay, token, 'old', body),
    () => provePhrase(relay, token, alice.recoverySecretKey, body),
  ]) {
    const proof = await prove();
    await database.db.updateTable('step_ups').set({ act: 'another-act' }).execute();
    expect(await send(relay, token, { ...body, proof })).toMatchObject(refused);
  }
  // Nor is there another that could be asked for.
  const asked = { format: 1, factor: 'recovery', act: 'another-act', bodyDigest: randomText(32) };
  expect((await relay.call('POST', '/v1/step-up/start', { body: asked, token })).status).toBe(400);
  const proof = await provePassword(relay, token, 'old', body);
  expect((await send(relay, token, { ...body, proof })).status).toBe(200);
});

test('a fresh proof that nobody came back for is swept away', async () => {
  const relay = await openTestRelay('postgres');
  const { token, body } = await signUpAndPrepare(relay);
  await provePassword(relay, token, 'old', body);
  const database = await openDatabase(relay.settings);
  onTestFinished(() => database.close());

  const count = async () => (await database.db.selectFrom('step_ups').select('id').execute()).length;
  await forgetAttempts(database, Date.now(), Date.now());
  expect(await count()).toBe(1);
  await forgetAttempts(database, Date.now() + 301_000, Date.now() + 301_000);
  expect(await count()).toBe(0);
});
