import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeRecoveryClaim, verifyRecoverySignature } from '../../../../crypto/sign-in/recovery-signature.ts';
import type { RecoveryStartAnswer, SignInAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import { nameTagOf, quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { databaseKinds } from '../../../parts/storage/relay-database.ts';
import { statementsDuring } from '../../../parts/storage/seen-statements.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';

vi.mock('../../../../crypto/sign-in/recovery-signature.ts', { spy: true });

function begin(relay: TestRelay, name: string) {
  return relay.call('POST', '/v1/recovery/start', { body: { format: 1, nameTag: nameTagOf(name) } });
}

function finish(relay: TestRelay, challengeId: string, signature: string) {
  return relay.call('POST', '/v1/recovery/finish', { body: { format: 1, challengeId, signature } });
}

function sign(secretKey: Uint8Array, started: RecoveryStartAnswer, name: string): string {
  const claim = encodeRecoveryClaim({
    challenge: fromBase64Url(started.challenge),
    nameTag: fromBase64Url(nameTagOf(name)),
    issuedAtMs: started.issuedAtMs,
  });
  return toBase64Url(ed25519.sign(claim, secretKey));
}

describe.each(databaseKinds)('recovery on %s', (kind) => {
  test('finishRecovery: the signature of the phrase releases the recovery keyslot, once', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice');
    const started = (await begin(relay, 'Alice')).json as RecoveryStartAnswer;
    const signature = sign(alice.recoverySecretKey, started, 'alice');
    const answers = await Promise.all([1, 2].map(() => finish(relay, started.challengeId, signature)));
    expect(answers.map((answer) => String(answer.status)).toSorted()).toEqual(['200', '401']);
    const opened = answers.find((answer) => answer.status === 200)?.json as SignInAnswer;
    expect(opened.keys.keyslot.body).toBe(alice.keyslots.find((slot) => slot.kind === 'recovery')?.body);
    expect((await relay.call('GET', '/v1/account', { token: opened.session.accessToken })).status).toBe(200);
  });

  test('finishRecovery: refuses another key, name, time or challenge, an unknown name and a late answer alike', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice');
    const bob = await quickSignUp(relay, 'bob');
    const next = async (name = 'alice') => (await begin(relay, name)).json as RecoveryStartAnswer;
    const refusals = [
      async () => {
        const started = await next();
        return finish(relay, started.challengeId, sign(bob.recoverySecretKey, started, 'alice'));
      },
      async () => {
        const started = await next();
        return finish(relay, started.challengeId, sign(alice.recoverySecretKey, started, 'bob'));
      },
      async () => {
        const started = await next();
        const later = { ...started, issuedAtMs: started.issuedAtMs + 1 };
        return finish(relay, started.challengeId, sign(alice.recoverySecretKey, later, 'alice'));
      },
      async () => {
        const [first, second] = [await next(), await next()];
        return finish(relay, second.challengeId, sign(alice.recoverySecretKey, first, 'alice'));
      },
      async () => {
        const started = await next('nobody');
        return finish(relay, started.challengeId, sign(alice.recoverySecretKey, started, 'nobody'));
      },
      async () => {
        const started = await next();
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
        onTestFinished(() => void vi.useRealTimers());
        return finish(relay, started.challengeId, sign(alice.recoverySecretKey, started, 'alice'));
      },
    ];
    for (const refuse of refusals) {
      const answer = await refuse();
      expect([answer.status, answer.text]).toEqual([401, '{"error":"sign-in-failed"}']);
    }
    const started = await next();
    expect((await finish(relay, started.challengeId, sign(alice.recoverySecretKey, started, 'alice'))).status).toBe(
      200,
    );
  });

  test('startRecovery: answers unknown names alike, and counts alike', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice');
    const statuses = async (name: string) => {
      const seen: string[] = [];
      for (let i = 0; i < 11; i++) {
        const answer = await begin(relay, name);
        seen.push(`${answer.status} ${answer.text.length} ${[...answer.headers.keys()].join()}`);
      }
      return seen;
    };
    const alice = await statuses('alice');
    expect(alice.map((seen) => seen.slice(0, 3))).toEqual([...Array.from({ length: 10 }, () => '200'), '429']);
    expect(await statuses('nobody')).toEqual(alice);
  });

  test('startRecovery, finishRecovery: an unknown name costs the same statements and the same verification (M12)', async () => {
    const relay = await openTestRelay(kind);
    const alice = await quickSignUp(relay, 'alice');
    const tables = ['accounts', 'recovery_challenges', 'login_attempts', 'rate_counters'];
    const workFor = async (name: string, secretKey: Uint8Array) => {
      vi.mocked(verifyRecoverySignature).mockClear();
      let status = 0;
      const statements = await statementsDuring(tables, async () => {
        const started = (await begin(relay, name)).json as RecoveryStartAnswer;
        ({ status } = await finish(relay, started.challengeId, sign(secretKey, started, name)));
      });
      return { status, statements, verifications: vi.mocked(verifyRecoverySignature).mock.calls.length };
    };
    const forKnown = await workFor('alice', new Uint8Array(32).fill(1));
    expect(forKnown).toMatchObject({ status: 401, verifications: 1 });
    expect(forKnown.statements.length).toBeGreaterThan(4);
    expect(await workFor('nobody', new Uint8Array(32).fill(1))).toEqual(forKnown);
    expect(await workFor('alice', alice.recoverySecretKey)).toMatchObject({ status: 200, verifications: 1 });
  });

  test('startRecovery: what it stores does not hold the name tag, from which a name could be guessed', async () => {
    const relay = await openTestRelay(kind);
    await quickSignUp(relay, 'alice');
    await begin(relay, 'alice');
    await relay.close();
    const database = await openDatabase(relay.settings);
    const rows = await database.db.selectFrom('recovery_challenges').selectAll().execute();
    await database.close();
    expect(rows).toHaveLength(1);
    const tag = fromBase64Url(nameTagOf('alice'));
    expect(Object.values(rows[0]!)).not.toContainEqual(tag);
    expect(rows[0]!.masked_name_tag).toHaveLength(32);
  });
});
