import { expect, test } from 'vitest';
import { generateServerKeys } from '../../../server/accounts/keys/server-keys.ts';
import { createDatabase } from '../../parts/storage/shared-postgres.ts';
import {
  mustSignIn,
  nameTagOf,
  quickSignIn,
  quickSignUp,
  startLogin,
} from '../../parts/users/without-keys/quick-account.ts';
import { openTestRelay, type TestRelay } from '../../parts/relay/in-process/test-relay.ts';
import { waitFor } from '../../parts/relay/running-sotto.ts';

/** Two relays over one PostgreSQL, as behind a load balancer. */
async function twoReplicas(): Promise<[TestRelay, TestRelay]> {
  const environment = { DATABASE_URL: await createDatabase(), SERVER_KEYS: await generateServerKeys() };
  return [await openTestRelay('sqlite', { environment }), await openTestRelay('sqlite', { environment })];
}

test('replicas: an account of one signs in at the other, also in two halves, and a session is good at both', async () => {
  const [one, two] = await twoReplicas();
  const alice = await quickSignUp(one, 'alice', 'a password');
  const { answer, cookie } = await mustSignIn(two, 'alice', 'a password');
  for (const relay of [one, two]) {
    for (const { accessToken: token } of [alice.session, answer.session]) {
      expect((await relay.call('GET', '/v1/account', { token })).status).toBe(200);
    }
  }
  const halves: TestRelay = {
    ...two,
    call: (method, path, options) => (path.endsWith('/start') ? one : two).call(method, path, options),
  };
  await mustSignIn(halves, 'alice', 'a password');
  const body = { format: 1 };
  expect((await one.call('POST', '/v1/session/refresh', { body, headers: { cookie } })).status).toBe(200);
});

test('replicas: a session that one ends is refused by the other within seconds', async () => {
  const [one, two] = await twoReplicas();
  const { accessToken: token } = (await quickSignUp(one, 'alice')).session;
  const atTwo = async () => (await two.call('GET', '/v1/account', { token })).json;
  expect(await atTwo()).toMatchObject({ format: 1 });
  await one.call('POST', '/v1/sign-out', { body: { format: 1 }, token });
  await waitFor(
    async () => 'error' in ((await atTwo()) as object),
    10_000,
    () => 'the session is still good',
  );
  expect(await atTwo()).toEqual({ error: 'session-ended' });
});

test('replicas: guesses on one name are counted over all of them', async () => {
  const [one, two] = await twoReplicas();
  const guess = async (relay: TestRelay) => {
    const { request } = await startLogin('guess');
    const body = { format: 1, nameTag: nameTagOf('alice'), loginRequest: request };
    return (await relay.call('POST', '/v1/sign-in/start', { body })).status;
  };
  const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => guess(i % 2 === 0 ? one : two)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(30);
});

test('server keys: a newer OPAQUE setup and JWT key leave old accounts and sessions as they are', async () => {
  const unpack = (text: string) => JSON.parse(Buffer.from(text.split('.')[1]!, 'base64url').toString()) as Keys;
  const pack = (keys: Keys) => `sotto-keys-1.${Buffer.from(JSON.stringify(keys)).toString('base64url')}`;
  const [first, newer] = [unpack(await generateServerKeys()), unpack(await generateServerKeys())];
  const DATABASE_URL = await createDatabase();
  const open = (keys: Keys) => openTestRelay('sqlite', { environment: { DATABASE_URL, SERVER_KEYS: pack(keys) } });
  const before = await open(first);
  const alice = await quickSignUp(before, 'alice', 'one');
  await before.close();

  const rotated: Keys = {
    ...first,
    opaqueSetups: [...first.opaqueSetups, ...newer.opaqueSetups],
    jwtKeys: [...first.jwtKeys, ...newer.jwtKeys],
  };
  const after = await open(rotated);
  await mustSignIn(after, 'alice', 'one');
  expect((await after.call('GET', '/v1/account', { token: alice.session.accessToken })).status).toBe(200);
  await quickSignUp(after, 'bob', 'two');
  await mustSignIn(after, 'bob', 'two');
  expect((await quickSignIn(after, 'alice', 'two')).finished?.status).toBe(401);
  await expect(open(newer)).rejects.toThrow('These server keys belong to another database');
});

type Keys = { opaqueSetups: object[]; jwtKeys: object[] };
