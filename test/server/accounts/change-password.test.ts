import { describe, expect, onTestFinished, test } from 'vitest';
import type { SignInStartAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { openDatabase } from '../../../server/storage/open-database.ts';
import type { AccountAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import type { HeadsAnswer } from '../../../crypto/protocol/messages/item-messages.ts';
import {
  finishLogin,
  mustSignIn,
  nameTagOf,
  preparePasswordChange,
  provePassword,
  quickSignIn,
  quickSignUp,
  randomText,
  startLogin,
} from '../../parts/users/without-keys/quick-account.ts';
import { databaseKinds } from '../../parts/storage/relay-database.ts';
import { openTestRelay, type TestRelay } from '../../parts/relay/in-process/test-relay.ts';

const send = (relay: TestRelay, token: string, body: unknown) =>
  relay.call('POST', '/v1/password/finish', { body, token });

/** With a fresh proof of the old password. */
async function proven<Body extends object>(relay: TestRelay, token: string, body: Body) {
  return { ...body, proof: await provePassword(relay, token, 'old', body) };
}

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
    const body = await preparePasswordChange(relay, alice, 'new');
    const answer = await send(relay, token, await proven(relay, token, body));
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
    const body = await preparePasswordChange(relay, alice, 'new');
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
      const other = await proven(relay, token, { ...body, ...changed });
      expect((await send(relay, token, other)).json).toEqual({ error: code });
    }
    // A token of another session is not this one's.
    const { accessToken: otherToken } = second.answer.session;
    const ofOther = await proven(relay, otherToken, body);
    expect((await send(relay, otherToken, ofOther)).json).toEqual({ error: 'bad-request' });
    await mustSignIn(relay, 'alice', 'old');

    expect((await send(relay, token, await proven(relay, token, body))).status).toBe(200);
    const again = { ...body, proof: await provePassword(relay, token, 'new', body) };
    expect((await send(relay, token, again)).json).toEqual({ error: 'head-conflict' });
    await mustSignIn(relay, 'alice', 'new');
  });

  test('finishPasswordChange: of two at once one wins, and its password is the one that counts', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice', 'old');
    const passwords = ['first', 'second'];
    const { accessToken: token } = alice.session;
    const bodies = await Promise.all(
      passwords.map(async (password) => proven(relay, token, await preparePasswordChange(relay, alice, password))),
    );
    const answers = await Promise.all(bodies.map((body) => send(relay, token, body)));
    const winner = answers.findIndex((answer) => answer.status === 200);
    expect(answers[winner]?.json).toEqual({ format: 1, counter: 2 });
    // Either it stood behind the winner, or its proof was gone when it came.
    expect(['head-conflict', 'proof-failed']).toContain((answers[1 - winner]!.json as { error: string }).error);
    await mustSignIn(relay, 'alice', passwords[winner]!);
    expect((await quickSignIn(relay, 'alice', passwords[1 - winner]!)).finished?.status).toBe(401);
  });
});

test('finishPasswordChange: keeps keyslots of kinds that this build cannot release, and of kinds that it does not know', async () => {
  const relay = await openTestRelay('postgres');
  const alice = await quickSignUp(relay, 'alice', 'old');
  const { accessToken: token } = alice.session;
  const database = await openDatabase(relay.settings);
  onTestFinished(() => database.close());
  const readSlots = () => database.db.selectFrom('keyslots').selectAll().orderBy('slot_id').execute();
  const [{ account_id }] = (await readSlots()) as [Awaited<ReturnType<typeof readSlots>>[number]];
  const later = ['passkey', 'hologram'].map((kind) => ({
    account_id,
    slot_id: fromBase64Url(randomText(16)),
    kind,
    generation: 3,
    body: fromBase64Url(randomText(300)),
  }));
  await database.db.insertInto('keyslots').values(later).execute();

  const body = await preparePasswordChange(relay, alice, 'new');
  const taken = { ...body, keyslot: { ...body.keyslot, slotId: toBase64Url(later[1]!.slot_id) } };
  expect((await send(relay, token, await proven(relay, token, taken))).json).toEqual({ error: 'bad-request' });
  expect((await send(relay, token, await proven(relay, token, body))).status).toBe(200);

  const slots = await readSlots();
  expect(slots.map(({ kind }) => kind).toSorted()).toEqual(['hologram', 'passkey', 'password', 'recovery']);
  for (const slot of later) expect(slots).toContainEqual(slot);
  const account = (await relay.call('GET', '/v1/account', { token })).json as AccountAnswer;
  expect(account.keyslots.map(({ kind }) => kind).toSorted()).toEqual(['passkey', 'password', 'recovery']);
  await mustSignIn(relay, 'alice', 'new');
});
