import { describe, expect, onTestFinished, test } from 'vitest';
import { digestActBody } from '../../../../crypto/sign-in/step-up.ts';
import type { SignInAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { AnyFactor, FactorKind } from '../../../../server/accounts/factors/factor.ts';
import { factorRoutes, factors } from '../../../../server/accounts/factors/factors.ts';
import { forgetAttempts } from '../../../../server/accounts/forget-attempts.ts';
import { accountRoutes } from '../../../../server/accounts/account-routes.ts';
import type { AccountDependencies } from '../../../../server/accounts/sessions/account-dependencies.ts';
import { withServiceRoutes } from '../../../../server/api/route/service-routes.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import {
  mustSignIn,
  preparePasswordChange,
  type QuickAccount,
  quickSignUp,
} from '../../../parts/users/without-keys/quick-account.ts';
import { type BegunStep, type FactorHands, factorHands } from '../../../parts/users/without-keys/factor-hands.ts';
import { databaseKinds } from '../../../parts/storage/relay-database.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';

const kinds = Object.keys(factors) as FactorKind[];
const others = (kind: FactorKind) => kinds.filter((other) => other !== kind);
const badProof = { status: 403, json: { error: 'proof-failed' } };
const badSignIn = { status: 401, json: { error: 'sign-in-failed' } };

/** Routes are declared before anything of the relay is needed. */
const noDependencies = {} as AccountDependencies;
const facts = { version: '1.0.0', build: null, signUp: 'open' } as const;

async function start(relay: TestRelay, hands: FactorHands, name: string) {
  const { path, body } = hands.startSignIn(name);
  return relay.call('POST', path, { body });
}

async function begin(relay: TestRelay, hands: FactorHands, name: string): Promise<unknown> {
  const started = await start(relay, hands, name);
  expect(started.status).toBe(200);
  return started.json;
}

function end(relay: TestRelay, hands: FactorHands, started: unknown, name: string, account: QuickAccount | null) {
  const { path, body } = hands.endSignIn(started, name, account);
  return relay.call('POST', path, { body });
}

/** A person who is about to change the password, and whatever a fresh proof of it takes. */
async function aboutToChange(relay: TestRelay) {
  const alice = await quickSignUp(relay, 'alice');
  const { accessToken: token } = alice.session;
  const body = await preparePasswordChange(relay, alice, 'new');
  const digest = digestActBody(body);
  return {
    alice,
    beginStep: async (hands: FactorHands): Promise<BegunStep> => {
      const asked = { format: 1, act: 'change-password', bodyDigest: toBase64Url(digest) } as const;
      const started = await relay.call('POST', '/v1/step-up/start', { body: hands.startStepUp(asked), token });
      expect(started.status).toBe(200);
      return started.json as BegunStep;
    },
    change: (hands: FactorHands, begun: BegunStep, account: QuickAccount | null) =>
      relay.call('POST', '/v1/password/finish', {
        body: { ...body, proof: hands.endStepUp(begun, digest, account) },
        token,
      }),
  };
}

describe.each(databaseKinds)('every factor on %s', (databaseKind) => {
  test.each(kinds)('%s: a sign-in releases the keyslot of its kind; a wrong secret releases none', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    const hands = await factorHands[kind]();
    const alice = await quickSignUp(relay, 'alice');
    const wrong = await begin(relay, hands, 'alice');
    expect(await end(relay, hands, wrong, 'alice', null)).toMatchObject(badSignIn);
    // One attempt is good for one answer, the right one included.
    expect(await end(relay, hands, wrong, 'alice', alice)).toMatchObject(badSignIn);

    const opened = await end(relay, hands, await begin(relay, hands, 'alice'), 'alice', alice);
    expect(opened.status).toBe(200);
    const { keyslot } = (opened.json as SignInAnswer).keys;
    const own = alice.keyslots.find((slot) => slot.kind === factors[kind].keyslot);
    expect([keyslot.kind, keyslot.body]).toEqual([factors[kind].keyslot, own?.body]);
  });

  test.each(kinds)('%s: a sign-in that was begun is good once, also when both answers come at once', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    const hands = await factorHands[kind]();
    const alice = await quickSignUp(relay, 'alice');
    const started = await begin(relay, hands, 'alice');
    const answers = await Promise.all([1, 2].map(() => end(relay, hands, started, 'alice', alice)));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '401']);
    expect(await end(relay, hands, started, 'alice', alice)).toMatchObject(badSignIn);
  });

  test.each(kinds)('%s: an unknown name is answered alike, and nobody gets in by it', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    const hands = await factorHands[kind]();
    const alice = await quickSignUp(relay, 'alice');
    const [known, unknown] = [await start(relay, hands, 'alice'), await start(relay, hands, 'nobody')];
    const shape = (answer: typeof known) => [answer.status, Object.keys(answer.json as object), answer.text.length];
    expect(shape(unknown)).toEqual(shape(known));
    expect(await end(relay, hands, unknown.json, 'nobody', alice)).toMatchObject(badSignIn);
    expect((await end(relay, hands, known.json, 'alice', alice)).status).toBe(200);
  });

  test.each(kinds)('%s: guesses on a name end at its limit, and take none from other factors', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    const hands = await factorHands[kind]();
    await quickSignUp(relay, 'alice');
    let guesses = 0;
    while ((await start(relay, hands, 'alice')).status === 200) guesses += 1;
    expect(factors[kind].limits.map(({ limit }) => limit)).toContain(guesses);
    expect((await start(relay, hands, 'alice')).json).toEqual({ error: 'too-many-requests' });
    for (const other of others(kind)) {
      expect((await start(relay, await factorHands[other](), 'alice')).status, other).toBe(200);
    }
  });

  test.each(kinds)('%s: begun sign-ins are swept away once they are late, and not before', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    await quickSignUp(relay, 'alice');
    await begin(relay, await factorHands[kind](), 'alice');
    await relay.close();
    const database = await openDatabase(relay.settings);
    onTestFinished(() => database.close());
    const rows = async () => {
      const counts = factors[kind].attempts.map((table) => database.db.selectFrom(table).select('id').execute());
      return (await Promise.all(counts)).flat().length;
    };
    const forget = (atMs: number) => forgetAttempts(database, atMs, atMs);
    await forget(Date.now());
    expect(await rows()).toBe(1);
    await forget(Date.now() + 600_000);
    expect(await rows()).toBe(0);
  });

  test.each(kinds)('%s: a fresh proof lets its act through once; a wrong one is refused and used up', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    const hands = await factorHands[kind]();
    const { alice, beginStep, change } = await aboutToChange(relay);
    const wrong = await beginStep(hands);
    expect(await change(hands, wrong, null)).toMatchObject(badProof);
    expect(await change(hands, wrong, alice)).toMatchObject(badProof);
    await mustSignIn(relay, 'alice', alice.password);

    const begun = await beginStep(hands);
    expect((await change(hands, begun, alice)).status).toBe(200);
    expect(await change(hands, begun, alice)).toMatchObject(badProof);
    await mustSignIn(relay, 'alice', 'new');
  });

  test.each(kinds)('%s: proves nothing that was begun for another factor', async (kind) => {
    const relay = await openTestRelay(databaseKind);
    const hands = await factorHands[kind]();
    const { alice, beginStep, change } = await aboutToChange(relay);
    for (const other of others(kind)) {
      const begun = await beginStep(await factorHands[other]());
      expect(await change(hands, begun, alice), other).toMatchObject(badProof);
    }
    expect((await change(hands, await beginStep(hands), alice)).status).toBe(200);
  });
});

describe('factorRoutes', () => {
  const { password, recovery } = factors;
  const listed: readonly AnyFactor[] = [password, recovery];

  test('lists the routes of the factors that stand, each with a claim of its own', () => {
    const routes = factorRoutes(noDependencies, listed);
    expect(routes).toHaveLength(password.routes(noDependencies).length + recovery.routes(noDependencies).length);
    expect(routes.map(({ name }) => name)).toEqual(expect.arrayContaining(['startSignIn', 'startRecovery']));
  });

  test.each<[string, Partial<AnyFactor>]>([
    ['keyslot, password', { keyslot: 'password' }],
    ['table of attempts, login_attempts', { attempts: ['recovery_challenges', 'login_attempts'] }],
    ['count of guesses, unlock', { limits: [{ kind: 'unlock', limit: 10 }] }],
  ])('refuses two factors that claim one %s', (claim, changes) => {
    expect(() => factorRoutes(noDependencies, [password, { ...recovery, ...changes }])).toThrow(
      `Two factors claim one ${claim}: password and recovery.`,
    );
  });
});

describe('withServiceRoutes', () => {
  const routes = accountRoutes(noDependencies);
  const [startSignIn] = factors.password.routes(noDependencies);

  test.each([
    ['POST /v1/sign-in/start', { ...startSignIn!, name: 'startOtherwise' }],
    ['startSignIn', { ...startSignIn!, url: '/v1/elsewhere' }],
    ['DELETE /v1/sessions/{}', { ...startSignIn!, name: 'other', method: 'DELETE', url: '/v1/sessions/{id}' }],
  ] as const)('refuses a second route that claims %s', (claim, twin) => {
    expect(() => withServiceRoutes([...routes, twin], facts)).toThrow(`Two routes claim ${claim}.`);
  });

  test('takes a route that differs in method or path', () => {
    for (const other of [{ method: 'GET' }, { url: '/v1/elsewhere' }] as const) {
      const all = withServiceRoutes([...routes, { ...startSignIn!, name: 'other', ...other }], facts);
      expect(all).toHaveLength(routes.length + 3);
    }
  });
});
