import * as opaque from '@serenity-kit/opaque';
import { describe, expect, test } from 'vitest';
import type { PasswordStartAnswer, SignInStartAnswer } from '../../../crypto/messages/account-messages.ts';
import type { HeadsAnswer } from '../../../crypto/messages/item-messages.ts';
import { toBase64Url } from '../../../crypto/primitives/bytes.ts';
import {
  finishLogin,
  mustSignIn,
  nameTagOf,
  type QuickAccount,
  quickSignIn,
  quickSignUp,
  randomText,
  register,
  sealedHead,
  startLogin,
} from '../../parts/quick-account.ts';
import { databaseKinds } from '../../parts/relay-database.ts';
import { openTestRelay, type TestRelay } from '../../parts/test-relay.ts';

async function prepare(relay: TestRelay, account: QuickAccount, password: string) {
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
  const started = await relay.call('POST', '/v1/password/start', {
    body: { format: 1, registrationRequest },
    token: account.session.accessToken,
  });
  const { passwordToken, registrationResponse } = started.json as PasswordStartAnswer;
  return {
    format: 1,
    passwordToken,
    registrationRecord: register(registrationResponse, clientRegistrationState, password),
    stretching: 'argon2id-64mib-3',
    keyslot: { slotId: randomText(16), kind: 'password', generation: 2, body: randomText(166) },
    keyslotList: { body: randomText(200) },
    expectedHead: toBase64Url(account.head.hash),
    head: sealedHead(account.head.counter + 1),
  };
}

const send = (relay: TestRelay, token: string, body: unknown) =>
  relay.call('POST', '/v1/password/finish', { body, token });

describe.each(databaseKinds)('password change on %s', (kind) => {
  test('finishPasswordChange: record, keyslot, list and head change together; other sessions and attempts end', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'old');
    const { accessToken: token } = alice.session;
    const other = await mustSignIn(relay, 'alice', 'old');
    // Somebody who knows the old password is half way in.
    const begun = await startLogin('old');
    const started = await relay.call('POST', '/v1/sign-in/start', {
      body: { format: 1, nameTag: nameTagOf('alice'), loginRequest: begun.request },
    });
    const body = await prepare(relay, alice, 'new');
    const answer = await send(relay, token, body);
    expect([answer.status, answer.json]).toEqual([200, { format: 1, counter: 2 }]);

    expect((await relay.call('GET', '/v1/account', { token })).status).toBe(200);
    const otherToken = other.answer.session.accessToken;
    expect((await relay.call('GET', '/v1/account', { token: otherToken })).json).toEqual({ error: 'session-ended' });
    const { loginId, loginResponse } = started.json as SignInStartAnswer;
    const late = { format: 1, loginId, loginFinish: finishLogin(begun, loginResponse, 'old') };
    expect((await relay.call('POST', '/v1/sign-in/finish', { body: late })).json).toEqual({ error: 'sign-in-failed' });
    expect((await quickSignIn(relay, 'alice', 'old')).finished?.json).toEqual({ error: 'sign-in-failed' });

    const signedIn = await mustSignIn(relay, 'alice', 'new');
    expect(signedIn.answer.keys).toEqual({
      keyslot: body.keyslot,
      keyslotList: body.keyslotList,
      keyring: null,
      head: body.head,
    });
    const heads = await relay.call('GET', '/v1/heads?after=0&limit=10', { token });
    expect((heads.json as HeadsAnswer).heads).toHaveLength(2);
    expect((await relay.call('GET', '/v1/keys', { token })).json).toEqual({
      format: 1,
      keyslotList: body.keyslotList,
      keyring: null,
    });
  });

  test('finishPasswordChange: another head, counter, token, session or kind changes nothing', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'old');
    const { accessToken: token } = alice.session;
    const body = await prepare(relay, alice, 'new');
    const second = await mustSignIn(relay, 'alice', 'old');
    const recoverySlot = alice.keyslots.find((slot) => slot.kind === 'recovery')?.slotId;
    for (const [changed, code] of [
      [{ expectedHead: randomText(32) }, 'head-conflict'],
      [{ head: { ...body.head, counter: 3 } }, 'head-conflict'],
      [{ passwordToken: token }, 'bad-request'],
      [{ passwordToken: randomText(64) }, 'bad-request'],
      [{ keyslot: { ...body.keyslot, kind: 'recovery' } }, 'bad-request'],
      [{ keyslot: { ...body.keyslot, slotId: recoverySlot } }, 'bad-request'],
    ] as const) {
      expect((await send(relay, token, { ...body, ...changed })).json).toEqual({ error: code });
    }
    // A token of another session is not this one's.
    expect((await send(relay, second.answer.session.accessToken, body)).json).toEqual({ error: 'bad-request' });
    await mustSignIn(relay, 'alice', 'old');

    expect((await send(relay, token, body)).status).toBe(200);
    expect((await send(relay, token, body)).json).toEqual({ error: 'head-conflict' });
    await mustSignIn(relay, 'alice', 'new');
  });

  test('finishPasswordChange: of two at once one wins, and its password is the one that counts', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'old');
    const passwords = ['first', 'second'];
    const bodies = await Promise.all(passwords.map((password) => prepare(relay, alice, password)));
    const answers = await Promise.all(bodies.map((body) => send(relay, alice.session.accessToken, body)));
    expect(answers.map((answer) => String(answer.status)).toSorted()).toEqual(['200', '409']);
    const winner = answers.findIndex((answer) => answer.status === 200);
    await mustSignIn(relay, 'alice', passwords[winner]!);
    expect((await quickSignIn(relay, 'alice', passwords[1 - winner]!)).finished?.status).toBe(401);
  });
});
