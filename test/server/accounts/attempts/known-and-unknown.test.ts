import { expect, test } from 'vitest';
import type { SignInStartAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { generateServerKeys, parseServerKeys } from '../../../../server/accounts/keys/server-keys.ts';
import { Sessions } from '../../../../server/accounts/sessions/sessions.ts';
import { TokenSigner } from '../../../../server/accounts/sessions/signed-token.ts';
import { encodeBytes } from '../../../../server/api/route/wire-bytes.ts';
import {
  mustSignIn,
  nameTagOf,
  quickSignUp,
  randomText,
  startLogin,
} from '../../../parts/users/without-keys/quick-account.ts';
import { openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { createDatabase } from '../../../parts/storage/shared-postgres.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { makeAccount } from '../../../parts/users/without-keys/vault-device.ts';
import { rightClock } from '../../../parts/machine/clocks/right-clock.ts';

type Keys = { opaqueSetups: object[] };

const unpack = (text: string) => JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Keys;
const pack = (keys: Keys) => `sotto-keys-1.${Buffer.from(JSON.stringify(keys)).toString('base64url')}`;

/** The relay's evaluation of one blinded password for a name (RFC 9807 §6.3.2.2): the same for the same keys. */
async function evaluationFor(relay: TestRelay, name: string, loginRequest: string): Promise<string> {
  const body = { format: 1, nameTag: nameTagOf(name), loginRequest };
  const answer = await relay.call('POST', '/v1/sign-in/start', { body });
  const { loginResponse } = answer.json as SignInStartAnswer;
  return Buffer.from(loginResponse, 'base64url').subarray(0, 32).toString('hex');
}

test('a newer OPAQUE setup changes the answer for no name, whether an account has it or nobody', async () => {
  const [first, newer] = [unpack(await generateServerKeys()), unpack(await generateServerKeys())];
  const DATABASE_URL = await createDatabase();
  const open = (keys: Keys) => openTestRelay('sqlite', { environment: { DATABASE_URL, SERVER_KEYS: pack(keys) } });
  const before = await open(first);
  await quickSignUp(before, 'alice', 'one');
  const { request } = await startLogin('a guess');
  const names = ['alice', 'nobody', 'no-one'];
  const evaluate = (relay: TestRelay) => Promise.all(names.map((name) => evaluationFor(relay, name, request)));
  const evaluations = await evaluate(before);
  expect(new Set(evaluations).size).toBe(3);
  await before.close();

  const after = await open({ ...first, opaqueSetups: [...first.opaqueSetups, ...newer.opaqueSetups] });
  expect(await evaluate(after)).toEqual(evaluations);
  // The newer one is what new accounts get, and it works.
  await quickSignUp(after, 'carol', 'two');
  await mustSignIn(after, 'carol', 'two');
});

test('malformed attempts on a name keep its owner out no longer; well-formed ones count as ever', async () => {
  const relay = await openTestRelay('sqlite');
  const alice = await quickSignUp(relay, 'alice', 'one');
  const start = (path: string, loginRequest: string, token?: string) =>
    relay.call('POST', path, {
      body: { format: 1, ...(token === undefined ? { nameTag: nameTagOf('alice') } : {}), loginRequest },
      ...(token === undefined ? {} : { token }),
    });
  for (let index = 0; index < 40; index++) {
    const malformed = randomText(index + 1);
    expect((await start('/v1/sign-in/start', malformed)).status).toBe(400);
    expect((await start('/v1/unlock/start', malformed, alice.session.accessToken)).status).toBe(400);
  }
  await mustSignIn(relay, 'alice', 'one');
  const { request } = await startLogin('a guess');
  const statuses = [];
  for (let index = 0; index < 31; index++) statuses.push((await start('/v1/sign-in/start', request)).status);
  expect(statuses).toEqual([...Array.from({ length: 30 }, () => 200), 429]);
});

test('ending a session: another account that knows its id ends nothing of it, its own account does', async () => {
  const database = await openTestDatabase('sqlite');
  const keys = parseServerKeys(await generateServerKeys());
  const ended: string[] = [];
  const onEnded = (sessionId: string) => ended.push(sessionId);
  const signer = await TokenSigner.open(keys);
  const sessions = new Sessions({ database, keys, signer, clock: rightClock, onEnded });
  const [alice, bob] = [await makeAccount(database), await makeAccount(database)];
  const nowMs = Date.now();
  const session = await database.write((trx) => sessions.create(trx, alice.accountId, nowMs));
  const isAlive = () => sessions.isAlive(database.db, alice.accountId, session.id, nowMs);
  // Live responses end with what is told here.
  await sessions.end(bob.accountId, session.id);
  expect([await isAlive(), ended]).toEqual([true, []]);
  await sessions.end(alice.accountId, session.id);
  expect([await isAlive(), ended]).toEqual([false, [encodeBytes(session.id)]]);
});
