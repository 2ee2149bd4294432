import * as v from 'valibot';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import * as opaqueServer from '../../../../crypto/sign-in/opaque-server.ts';
import { signInAnswer, type SignInStartAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import {
  finishLogin,
  mustSignIn,
  nameTagOf,
  prepareSignUp,
  quickSignIn,
  quickSignUp,
  startLogin,
  uselessFinish,
} from '../../../parts/users/without-keys/quick-account.ts';
import { databaseKinds } from '../../../parts/storage/relay-database.ts';
import { statementsDuring } from '../../../parts/storage/seen-statements.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';

vi.mock('../../../../crypto/sign-in/opaque-server.ts', { spy: true });

/** Gives what an onlooker can compare of an answer: all but the values of random fields. */
function shapeOf(answer: { status: number; headers: Headers; text: string; json: unknown }) {
  const { json } = answer as { json: Record<string, unknown> };
  return {
    status: answer.status,
    headers: [...answer.headers.keys()].toSorted(),
    length: answer.text.length,
    fields: Object.entries(json).map(([name, value]) => [name, typeof value, String(value).length]),
  };
}

async function startedAs(relay: TestRelay, name: string) {
  const start = await startLogin('any password');
  return relay.call('POST', '/v1/sign-in/start', {
    body: { format: 1, nameTag: nameTagOf(name), loginRequest: start.request },
  });
}

/** Statements about accounts, and OPAQUE steps, that a call costs. */
async function workOf(call: () => Promise<unknown>) {
  const { startServerLogin, finishServerLogin } = vi.mocked(opaqueServer);
  startServerLogin.mockClear();
  finishServerLogin.mockClear();
  const statements = await statementsDuring(['accounts', 'login_attempts', 'rate_counters'], call);
  return { statements, starts: startServerLogin.mock.calls.length, finishes: finishServerLogin.mock.calls.length };
}

describe.each(databaseKinds)('sign-in on %s', (kind) => {
  test('finishSignIn: the right password releases the keyslot of that account and begins a session', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'correct horse');
    await quickSignUp(relay, 'bob', 'another');
    const { answer, cookie } = await mustSignIn(relay, 'Alice', 'correct horse');
    expect(v.is(signInAnswer, answer)).toBe(true);
    expect(answer.keys.keyslot).toMatchObject({
      kind: 'password',
      body: alice.keyslots.find((slot) => slot.kind === 'password')?.body,
    });
    expect(answer.keys.head.counter).toBe(1);
    expect(cookie).toMatch(/^__Host-sotto-[0-9a-f]{6}=/);
    const account = await relay.call('GET', '/v1/account', { token: answer.session.accessToken });
    expect(account.json).toMatchObject({ usedBytes: 282, quotaBytes: 2 ** 30 });
  });

  test('finishSignIn: a wrong password and an unknown name get the same answers, in code, shape, length and work (M12)', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice', 'correct horse');
    expect(shapeOf(await startedAs(relay, 'nobody'))).toEqual(shapeOf(await startedAs(relay, 'alice')));

    const known = await quickSignIn(relay, 'alice', 'wrong');
    const unknown = await quickSignIn(relay, 'nobody', 'wrong');
    expect(known.finished?.json).toEqual({ error: 'sign-in-failed' });
    expect(shapeOf(unknown.finished!)).toEqual(shapeOf(known.finished!));
    // The accepted twin: the refusals are no general failure.
    await mustSignIn(relay, 'alice', 'correct horse');

    const workForKnown = await workOf(() => quickSignIn(relay, 'alice', 'wrong'));
    const workForUnknown = await workOf(() => quickSignIn(relay, 'nobody', 'wrong'));
    expect(workForKnown).toMatchObject({ starts: 1, finishes: 1 });
    expect(workForKnown.statements.length).toBeGreaterThan(3);
    expect(workForUnknown).toEqual(workForKnown);
  });

  test('startSignIn: the same request for one name evaluates alike each time, known or not', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice');
    const { request } = await startLogin('guess');
    const evaluations = async (name: string) => {
      const answers = await Promise.all(
        [1, 2].map(() =>
          relay.call('POST', '/v1/sign-in/start', {
            body: { format: 1, nameTag: nameTagOf(name), loginRequest: request },
          }),
        ),
      );
      // The evaluated element (32 bytes) begins the login response; a name whose element changed would be an invented one.
      return new Set(answers.map((answer) => (answer.json as SignInStartAnswer).loginResponse.slice(0, 42)));
    };
    const [alice, nobody, other] = [
      await evaluations('alice'),
      await evaluations('nobody'),
      await evaluations('other'),
    ];
    expect([alice.size, nobody.size]).toEqual([1, 1]);
    expect(nobody).not.toEqual(other);
  });

  test('finishSignIn: an attempt is good once, and for a minute', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice', 'correct horse');
    const begin = async () => {
      const start = await startLogin('correct horse');
      const started = await relay.call('POST', '/v1/sign-in/start', {
        body: { format: 1, nameTag: nameTagOf('alice'), loginRequest: start.request },
      });
      const { loginId, loginResponse } = started.json as SignInStartAnswer;
      return { format: 1, loginId, loginFinish: finishLogin(start, loginResponse, 'correct horse') };
    };
    const finish = (body: unknown) => relay.call('POST', '/v1/sign-in/finish', { body });
    const body = await begin();
    const answers = await Promise.all([finish(body), finish(body)]);
    expect(answers.map((answer) => String(answer.status)).toSorted()).toEqual(['200', '401']);
    expect((await finish(body)).json).toEqual({ error: 'sign-in-failed' });

    // A wrong proof uses the attempt up as well.
    const second = await begin();
    expect((await finish({ ...second, loginFinish: uselessFinish(64) })).status).toBe(401);
    expect((await finish(second)).status).toBe(401);

    const late = await begin();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await finish(late)).json).toEqual({ error: 'sign-in-failed' });
  });

  test('startSignIn: guesses on one name end, whoever makes them, and a name that nobody has looks the same', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice', 'correct horse');
    const guess = async (name: string) => (await startedAs(relay, name)).status;
    const statuses = async (name: string) => {
      const seen: number[] = [];
      for (let i = 0; i < 31; i++) seen.push(await guess(name));
      return seen;
    };
    const alice = await statuses('alice');
    expect(alice).toEqual([...Array.from({ length: 30 }, () => 200), 429]);
    expect(await statuses('nobody')).toEqual(alice);
    const refused = await startedAs(relay, 'alice');
    expect(refused.json).toEqual({ error: 'too-many-requests' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    // Another name is another count, and an hour later all is well.
    expect(await guess('carol')).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 });
    onTestFinished(() => void vi.useRealTimers());
    await mustSignIn(relay, 'alice', 'correct horse');
  });

  test('finishSignIn: a sign-in that succeeds is not counted', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice', 'correct horse');
    for (let i = 0; i < 32; i++) await mustSignIn(relay, 'alice', 'correct horse');
    expect((await startedAs(relay, 'alice')).status).toBe(200);
  });

  test('startSignUp: a taken name is refused at the start, and at the end when somebody was faster', async () => {
    const relay = await openTestRelay(kind);
    const [first, second] = [await prepareSignUp(relay, 'alice', 'one'), await prepareSignUp(relay, 'alice', 'two')];
    const accepted = await relay.call('POST', '/v1/sign-up/finish', { body: first.finish });
    const refused = await relay.call('POST', '/v1/sign-up/finish', { body: second.finish });
    expect([accepted.status, refused.json]).toEqual([200, { error: 'name-taken' }]);
    expect((await prepareSignUp(relay, 'ALICE', 'three')).started.json).toEqual({ error: 'name-taken' });
    expect((await prepareSignUp(relay, 'alice2', 'three')).started.status).toBe(200);
    await mustSignIn(relay, 'alice', 'one');
  });

  test('finishSignUp: the same call after a lost answer begins a session of the same account', async () => {
    const relay = await openTestRelay(kind);
    const { finish } = await prepareSignUp(relay, 'alice', 'one');
    const answers = [];
    for (let i = 0; i < 2; i++) answers.push(await relay.call('POST', '/v1/sign-up/finish', { body: finish }));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    const accounts = await Promise.all(
      answers.map((answer) =>
        relay.call('GET', '/v1/account', { token: (answer.json as { accessToken: string }).accessToken }),
      ),
    );
    expect(accounts[0]!.json).toEqual(accounts[1]!.json);
  });

  test('finishSignUp: stores no user name, and refuses other keyslots than password and recovery', async () => {
    const relay = await openTestRelay(kind);
    const { finish } = await prepareSignUp(relay, 'a-very-unlikely-name', 'one');
    const [password, recovery] = finish!.keyslots;
    for (const keyslots of [
      [password, password],
      [password, { ...recovery!, kind: 'passkey' }],
      [password, { ...recovery!, slotId: password!.slotId }],
    ]) {
      const refused = await relay.call('POST', '/v1/sign-up/finish', { body: { ...finish, keyslots } });
      expect(refused.json).toEqual({ error: 'bad-request' });
    }
    const second = { ...finish, head: { ...finish!.head, counter: 2 } };
    expect((await relay.call('POST', '/v1/sign-up/finish', { body: second })).json).toEqual({ error: 'bad-request' });
    const forged = { ...finish, signUpToken: `${finish!.signUpToken.slice(0, -4)}AAAA` };
    expect((await relay.call('POST', '/v1/sign-up/finish', { body: forged })).json).toEqual({ error: 'bad-request' });
    expect((await relay.call('POST', '/v1/sign-up/finish', { body: finish })).status).toBe(200);

    await relay.close();
    const database = await openDatabase(relay.settings);
    const rows = await database.db.selectFrom('accounts').selectAll().execute();
    await database.close();
    const text = JSON.stringify(rows, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    const tag = Buffer.from(nameTagOf('a-very-unlikely-name'), 'base64url');
    expect(rows).toHaveLength(1);
    expect(text).not.toContain('unlikely');
    expect(Buffer.compare(rows[0]!.name_hash, tag)).not.toBe(0);
    expect(text).not.toContain(tag.toString('latin1'));
  });
});

test('startSignUp: a relay with SIGN_UP=closed refuses both halves and still signs in', async () => {
  const relay = await openTestRelay('sqlite', { environment: { SIGN_UP: 'closed' } });
  expect((await prepareSignUp(relay, 'alice', 'one')).started.json).toEqual({ error: 'sign-up-closed' });
  expect((await quickSignIn(relay, 'alice', 'one')).started.status).toBe(200);
  expect((await relay.call('GET', '/v1/version')).json).toMatchObject({ signUp: 'closed' });
});
