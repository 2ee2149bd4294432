import { expect, onTestFinished, test, vi } from 'vitest';
import { fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { PostgresChangeFeed } from '../../../../server/live/postgres-change-feed.ts';
import { attemptTurn, startTurn } from '../../../../server/turns/start-turn.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import {
  startTurnProcess,
  stateOf,
  storedBytes,
  turnStart,
  until,
} from '../../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';
import { makeAccount } from '../../../parts/users/without-keys/vault-device.ts';

function feedOf({ db, openClient }: Database): PostgresChangeFeed {
  if (openClient === null) throw new Error('Replicas need PostgreSQL.');
  return new PostgresChangeFeed(db, openClient, quietLog());
}

test('a replica that stops hands its running turns to another one at once', async () => {
  const database = await openTestDatabase('postgres');
  const worker = await new ScriptedWorker().start();
  onTestFinished(() => worker.stop());
  const device = await makeAccount(database);
  // The rounds in which replicas look for turns by themselves never come.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const first = await startTurnProcess(database, [worker], feedOf(database));
  const second = await startTurnProcess(database, [worker], feedOf(database));
  onTestFinished(() => second.service.close());
  const [enclave] = await first.service.pool.choose({ accountId: device.accountId, model: 'test-model' });
  const start = turnStart(device, enclave?.id ?? '');
  await startTurn(first.service, device.accountId, start);
  const transcript = worker.transcriptOf(start.turnId);
  worker.speak(transcript, 3);

  await first.service.close();
  const ownerOf = async () => {
    const id = fromBase64Url(start.turnId);
    const turns = database.db.selectFrom('turns').select('lease_owner').where('id', '=', id);
    return (await turns.executeTakeFirst())?.lease_owner;
  };
  await until(async () => (await ownerOf()) === second.service.leases.owner);
  // It has asked for what comes next: what is missed later would wait for its rounds.
  const held = () => [...(second.service.hub.find(fromBase64Url(start.turnId))?.transcripts.values() ?? [])];
  await until(() => held().length === 1 && held().every(({ inOrder }) => inOrder));
  worker.speak(transcript, 4);
  worker.close(transcript);
  await until(async () => (await stateOf(database, start.turnId)) === 'ended');
  expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
});

/** A turn with one answer under way and a second request, of which its relay knew nothing more when it stopped. */
async function leftWithTwoRequests() {
  const database = await openTestDatabase('sqlite');
  const worker = await new ScriptedWorker().start();
  onTestFinished(() => worker.stop());
  const device = await makeAccount(database);
  const before = await startTurnProcess(database, [worker]);
  const [enclave] = await before.service.pool.choose({ accountId: device.accountId, model: 'test-model' });
  const start = turnStart(device, enclave?.id ?? '', { batch: null });
  await startTurn(before.service, device.accountId, start);
  const first = worker.transcriptOf(start.turnId);
  worker.speak(first, 3);
  await until(async () => (await storedBytes(database, start.turnId)).equals(worker.recordsOf(first)));
  worker.silentStarts = true;
  const turnId = fromBase64Url(start.turnId);
  const { request } = sealedRequestFor({ model: 'test-model', turnId });
  const attempt = { format: 1, enclaveId: start.enclaveId, nonce: start.nonce, request } as const;
  await attemptTurn(before.service, device.accountId, turnId, attempt);
  const second = worker.transcripts.pop();
  if (second === undefined || second === first) throw new Error('The second request was not handed on.');
  await before.service.close();
  const resumedFromMs = performance.now();
  const relay = await startTurnProcess(database, [worker]);
  onTestFinished(() => relay.service.close());
  const { hub, journal } = relay.service;
  worker.close(first);
  await until(() => hub.find(turnId)?.transcripts.values().next().value?.closed === 'final');
  await journal.flush();
  return { database, worker, start, turnId, first, second, hub, resumedFromMs };
}

test('a request of a relay that is gone: the answer that comes behind the end of another one is stored', async () => {
  const { database, first, second, start, worker } = await leftWithTwoRequests();
  expect(await stateOf(database, start.turnId)).toBe('running');
  worker.transcripts.push(second);
  worker.broadcast(worker.recordsOf(second));
  worker.speak(second, 2);
  worker.close(second);
  await until(async () => (await stateOf(database, start.turnId)) === 'ended');
  const stored = await storedBytes(database, start.turnId);
  expect(stored).toHaveLength(worker.recordsOf(first).length + worker.recordsOf(second).length);
  expect(stored.includes(worker.recordsOf(second))).toBe(true);
});

test('a request of a relay that is gone: an answer that does not come in 20 s is not waited for', async () => {
  const { database, first, hub, resumedFromMs, start, turnId, worker } = await leftWithTwoRequests();
  const untilMs = hub.find(turnId)?.awaited?.untilMs ?? 0;
  expect(untilMs).toBeGreaterThanOrEqual(resumedFromMs + 20_000);
  expect(untilMs).toBeLessThanOrEqual(performance.now() + 20_000);
  onTestFinished(() => void vi.restoreAllMocks());
  const now = vi.spyOn(performance, 'now').mockReturnValue(untilMs - 1);
  hub.sweep();
  expect(hub.find(turnId)).toMatchObject({ ending: false, awaited: { untilMs } });
  now.mockReturnValue(untilMs + 1);
  hub.sweep();
  vi.restoreAllMocks();
  await until(async () => (await stateOf(database, start.turnId)) === 'ended');
  expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(first))).toBe(true);
});
