import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../../../server/api/route/relay-error.ts';
import type { ModalTiming } from '../../../../server/pools/modal/modal-pool.ts';
import { chooseEnclave } from '../../../../server/pools/choose-enclave.ts';
import { ModalFrontDoor } from '../../../parts/worker/modal/modal-front-door.ts';
import { type ModalRelay, startModalRelay } from '../../../parts/relay/in-process/modal-relay.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';
import { makeSignedInAccount, signOutEverywhere } from '../../../parts/users/without-keys/vault-device.ts';

// Real workers boot in each of them, on whatever machine this is.
const request = (model = 'default') => ({ format: 1, nonce: toBase64Url(randomBytes(32)), model }) as const;
const ask = ({ service }: ModalRelay, accountId: string, model?: string) =>
  chooseEnclave(service, accountId, request(model));
/** Asks as a client does: comes again while it is told that the enclave starts. */
async function askUntilThere(relay: ModalRelay, accountId: string) {
  for (;;) {
    try {
      return await ask(relay, accountId);
    } catch (error) {
      const isStarting =
        error instanceof RelayError && error.code === 'enclave-starting' && error.retryAfterSeconds === 2;
      if (!isStarting) throw error;
      await sleep(100);
    }
  }
}
const rowsOf = (database: TestDatabase) => database.db.selectFrom('enclave_sessions').selectAll().execute();

describe.each(databaseKinds)('%s', (kind) => {
  let database: TestDatabase;
  let door: ModalFrontDoor;
  const relays: ModalRelay[] = [];
  const open = async (timing: Partial<ModalTiming> = {}, proxyToken?: string): Promise<ModalRelay> => {
    const relay = await startModalRelay(database, door, { timing, ...(proxyToken && { proxyToken }) });
    relays.push(relay);
    return relay;
  };
  const closeRelays = async () => {
    for (const relay of relays.splice(0)) await relay.service.close();
  };

  describe('a warm container', () => {
    beforeAll(async () => {
      door = await new ModalFrontDoor({ maximumContainers: 1 }).start();
      await door.warm(1);
    });
    afterAll(() => door[Symbol.asyncDispose]());
    beforeEach(async () => {
      database = await makeDatabase(kind);
      door.forgetCounts();
      door.lostStatus = 404;
    });
    afterEach(async () => {
      await closeRelays();
      await database.close();
      await database.remove();
    });

    test('one session for an account and model, whichever relay asks, and another for another account', async () => {
      const [one, two] = [await open(), await open()];
      const { accountId } = await makeSignedInAccount(database);
      const answers = await Promise.all([ask(one, accountId), ask(two, accountId), ask(one, accountId)]);
      expect(new Set(answers.map(({ enclaveId }) => enclaveId)).size).toBe(1);
      expect(door.startCalls).toBe(1);
      expect((await ask(two, accountId)).enclaveId).toBe(answers[0].enclaveId);
      const other = await makeSignedInAccount(database);
      const { enclaveId } = await ask(one, other.accountId);
      expect(enclaveId).not.toBe(answers[0].enclaveId);
      expect(door.startCalls).toBe(2);
      // The id is drawn: it leads to nobody else's session and says nothing of an address.
      expect(await one.pool.find(enclaveId, { accountId, model: 'default' })).toBeNull();
      expect(await two.pool.find(enclaveId, { accountId: other.accountId, model: 'default' })).not.toBeNull();
      expect(enclaveId).toMatch(/^[A-Za-z0-9_-]{16}$/);
    });

    test('a model of the same containers needs no session of its own, an unknown one gets none', async () => {
      const relay = await open();
      const { accountId } = await makeSignedInAccount(database);
      await expect(relay.pool.listModels()).rejects.toMatchObject({ code: 'enclave-starting' });
      expect(door.startCalls).toBe(0);
      const { enclaveId } = await ask(relay, accountId);
      await until(async () => (await relay.pool.listModels().catch((): string[] => [])).includes('rehearsal'));
      expect((await ask(relay, accountId, 'rehearsal')).enclaveId).toBe(enclaveId);
      await expect(ask(relay, accountId, 'another-model')).rejects.toMatchObject({ code: 'not-found' });
      expect(door.startCalls).toBe(1);
    });

    test.each([404, 410, 401, 502])('a session that is lost (%i) is made up for in the same call', async (status) => {
      const relay = await open();
      const { accountId } = await makeSignedInAccount(database);
      const before = await ask(relay, accountId);
      expect((await ask(relay, accountId)).enclaveId).toBe(before.enclaveId);
      door.lostStatus = status;
      door.loseSessions();
      const after = await ask(relay, accountId);
      expect(after.enclaveId).not.toBe(before.enclaveId);
      expect(await relay.pool.find(before.enclaveId, { accountId, model: 'default' })).toBeNull();
      expect(door.startCalls).toBe(2);
      expect(relay.logged()).toContain('"event":"enclave-lost"');
    });

    test('a front door that stumbles once loses nothing', async () => {
      const relay = await open();
      const { accountId } = await makeSignedInAccount(database);
      const before = await ask(relay, accountId);
      door.stumbles = 1;
      await expect(ask(relay, accountId)).rejects.toMatchObject({ code: 'enclave-unreachable' });
      expect((await ask(relay, accountId)).enclaveId).toBe(before.enclaveId);
      expect(door.startCalls).toBe(1);
    });

    test('starts are repeated as the SDK does: 5xx with the same key, nothing else', async () => {
      const relay = await open();
      const { accountId } = await makeSignedInAccount(database);
      door.startRefusals = [503, 500, 502];
      await askUntilThere(relay, accountId);
      expect(door.startCalls).toBe(4);
      expect(door.startKeys.size).toBe(1);
      const other = await makeSignedInAccount(database);
      door.startRefusals = [404];
      await expect(ask(relay, other.accountId)).rejects.toMatchObject({ code: 'enclave-unreachable' });
      expect(door.startCalls).toBe(5);
    });

    test('with a wrong proxy token it says so in the log, asks again later only, and is not ready', async () => {
      const wrong = await open({}, 'wk-wrong.ws-wrong');
      const { accountId } = await makeSignedInAccount(database);
      expect(await wrong.pool.isReady()).toBe(true);
      await expect(ask(wrong, accountId)).rejects.toMatchObject({ code: 'enclave-unreachable' });
      const refused = await ask(wrong, accountId).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'enclave-unreachable', retryAfterSeconds: 4 });
      expect(await wrong.pool.isReady()).toBe(false);
      expect(door.refusedCalls).toBe(1);
      expect(wrong.logged()).toContain('"event":"enclave-start-refused","status":401');
      const right = await open();
      const other = await makeSignedInAccount(database);
      await expect(askUntilThere(right, other.accountId)).resolves.toBeDefined();
      expect(await right.pool.isReady()).toBe(true);
    });

    test('with another proxy token nothing of the old one is used', async () => {
      const before = await open();
      const { accountId } = await makeSignedInAccount(database);
      const { enclaveId } = await ask(before, accountId);
      door.proxyToken = 'wk-another.ws-another';
      const after = await open();
      expect(await after.pool.find(enclaveId, { accountId, model: 'default' })).toBeNull();
      expect((await ask(after, accountId)).enclaveId).not.toBe(enclaveId);
      expect((await ask(before, accountId)).enclaveId).toBe(enclaveId);
    });

    test('an account may start so many sessions in an hour', async () => {
      const relay = await open();
      const [{ accountId }, other] = [await makeSignedInAccount(database), await makeSignedInAccount(database)];
      const codes: unknown[] = [];
      for (let round = 0; round < 31; round++) {
        await ask(relay, accountId).catch((error: { code: unknown }) => codes.push(error.code));
        await database.db.deleteFrom('enclave_sessions').execute();
      }
      expect(codes).toEqual(['too-many-requests']);
      expect(door.startCalls).toBe(30);
      await expect(ask(relay, other.accountId)).resolves.toBeDefined();
    });

    test('signing out ends the session, and only then', async () => {
      const relay = await open();
      const [stays, leaves] = [await makeSignedInAccount(database), await makeSignedInAccount(database)];
      await ask(relay, stays.accountId);
      await ask(relay, leaves.accountId);
      await sleep(600);
      expect(door.terminateCalls).toBe(0);
      await signOutEverywhere(database, leaves.accountId);
      relay.pool.accountsLeft();
      await until(() => door.terminateCalls === 1);
      expect((await rowsOf(database)).map((row) => row.account_id)).toEqual([stays.accountId]);
    });

    test('neither the proxy token nor a session token nor the worker’s is in a log', async () => {
      const relay = await open();
      const { accountId } = await makeSignedInAccount(database);
      await ask(relay, accountId);
      const tokens = [...door.sessionTokens, door.proxyToken, door.enclaveToken];
      door.loseSessions();
      await ask(relay, accountId);
      door.startRefusals = [401];
      const other = await makeSignedInAccount(database);
      await ask(relay, other.accountId).catch(() => undefined);
      const written = relay.logged();
      expect(written).toContain('enclave-start-refused');
      expect(written).toContain('enclave-started');
      for (const token of [...tokens, ...door.sessionTokens]) expect(written).not.toContain(token);
      // Nor in the database, where the sessions are.
      const stored = JSON.stringify(await rowsOf(database));
      expect(stored).toContain(accountId);
      for (const token of door.sessionTokens) expect(stored).not.toContain(token);
    });
  });

  describe('scaled to zero', () => {
    beforeEach(async () => {
      database = await makeDatabase(kind);
      door = await new ModalFrontDoor({ bootMs: 600, scaledownMs: 300 }).start();
    });
    afterEach(async () => {
      await closeRelays();
      await door[Symbol.asyncDispose]();
      await database.close();
      await database.remove();
    });

    test('a cold start is told at once, goes on in the background, and is made once', async () => {
      const [one, two] = [await open({ patienceMs: 100 }), await open({ patienceMs: 100 })];
      const { accountId } = await makeSignedInAccount(database);
      expect(await one.pool.isReady()).toBe(true);
      const first = await ask(one, accountId).catch((error: unknown) => error);
      expect(first).toMatchObject({ code: 'enclave-starting', retryAfterSeconds: 2 });
      const [here, there] = await Promise.all([askUntilThere(one, accountId), askUntilThere(two, accountId)]);
      expect(here.enclaveId).toBe(there.enclaveId);
      expect([door.startCalls, door.containers.length]).toEqual([1, 1]);
    });

    test('a relay that stops hands its start on, and the same session comes of it', async () => {
      const one = await open({ patienceMs: 100 });
      const { accountId } = await makeSignedInAccount(database);
      await expect(ask(one, accountId)).rejects.toMatchObject({ code: 'enclave-starting' });
      await closeRelays();
      const two = await open({ patienceMs: 100 });
      await askUntilThere(two, accountId);
      expect(door.startKeys.size).toBe(1);
      expect([door.startCalls, door.sessionCount, door.containers.length]).toEqual([2, 1, 1]);
    });

    test('without room it waits its turn and says so after the queue’s time', async () => {
      door.queueMs = 200;
      door.hasCapacity = false;
      const retries = { attempts: 2, firstDelayMs: 20, attemptMs: 65_000, totalMs: 200_000 };
      const relay = await open({ patienceMs: 100, retries });
      const { accountId } = await makeSignedInAccount(database);
      await expect(ask(relay, accountId)).rejects.toMatchObject({ code: 'enclave-starting' });
      await until(() => relay.logged().includes('"event":"enclave-start-timed-out","status":503'));
      await expect(ask(relay, accountId)).rejects.toMatchObject({ code: 'enclave-unreachable' });
      door.queueMs = 60_000;
      door.hasCapacity = true;
      await database.db.updateTable('enclave_sessions').set({ retry_at: 1 }).execute();
      await expect(askUntilThere(relay, accountId)).resolves.toBeDefined();
      expect(door.startKeys.size).toBe(2);
    });

    test('nothing is held while no turn runs: the session ends, the container goes, and comes again', async () => {
      const relay = await open({ idleSeconds: 1 });
      const { accountId } = await makeSignedInAccount(database);
      const before = await askUntilThere(relay, accountId);
      expect(door.liveResponses).toBe(0);
      await until(() => door.sessionCount === 0 && door.running.length === 0);
      const after = await askUntilThere(relay, accountId);
      expect(after.enclaveId).not.toBe(before.enclaveId);
      expect(door.containers).toHaveLength(2);
    });
  });
});
