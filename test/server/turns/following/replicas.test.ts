import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import type { Change } from '../../../../server/live/change-feed.ts';
import { PostgresChangeFeed } from '../../../../server/live/postgres-change-feed.ts';
import { resumeTurns } from '../../../../server/turns/following/resume-turns.ts';
import { attemptTurn, startTurn } from '../../../../server/turns/start-turn.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import {
  startTurnProcess,
  stateOf,
  storedBytes,
  type TurnProcess,
  turnStart,
  until,
  Watcher,
} from '../../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';
import { makeAccount, type VaultDevice } from '../../../parts/users/without-keys/vault-device.ts';

/*
 * Two replicas on one PostgreSQL: the first is a process of its own and begins the turns, the second is this one and
 * has the browser.
 */

let database: TestDatabase;
let worker: ScriptedWorker;
let first: ChildProcess;
let second: TurnProcess;
let device: VaultDevice;

/** Looks at this test's database alone: other files share the server. */
const isListening = sql`query like 'listen %' and datname = current_database()`;

function feedOf(place: Database): PostgresChangeFeed {
  if (place.openClient === null) throw new Error('Replicas need PostgreSQL.');
  return new PostgresChangeFeed(place.db, place.openClient, quietLog());
}

beforeEach(async () => {
  database = await makeDatabase('postgres');
  worker = await new ScriptedWorker().start();
  device = await makeAccount(database);
  const settings = { ...database.place, worker: { url: worker.url, token: worker.token } };
  first = fork(new URL('relay-child.ts', import.meta.url), [JSON.stringify(settings)]);
  await once(first, 'message');
  second = await startTurnProcess(database, [worker], feedOf(database));
});

afterEach(async () => {
  first.kill('SIGKILL');
  await second.service.close();
  await worker.stop();
  await database.close();
  await database.remove();
});

async function enclaveId(): Promise<string> {
  return (await second.service.pool.choose({ accountId: '', model: '' }))[0]?.id ?? '';
}

async function beginAtFirst(expected: 'accepted' | 'changed' = 'accepted') {
  const start = turnStart(device, await enclaveId());
  first.send({ accountId: device.accountId, start });
  expect((await once(first, 'message'))[0]).toMatchObject({ answer: { kind: expected } });
  return start;
}

/** A turn that the first replica has begun. */
async function acceptedAtFirst() {
  const { turnId } = await beginAtFirst();
  return { turnId, transcript: worker.transcriptOf(turnId) };
}

/** The same turn sealed once more, at the second replica, and its whole reply. */
async function answeredAtSecond(
  { enclaveId: id, nonce, turnId }: TurnStart,
  meanwhile: () => Promise<void> = async () => undefined,
) {
  const { request } = sealedRequestFor({ model: 'test-model', turnId: fromBase64Url(turnId) });
  const attempt = { format: 1, enclaveId: id, nonce, request } as const;
  const accepted = await attemptTurn(second.service, device.accountId, fromBase64Url(turnId), attempt);
  expect(accepted).toEqual({ kind: 'accepted', state: 'running' });
  await meanwhile();
  const transcript = worker.transcriptOf(turnId);
  worker.speak(transcript, 6);
  worker.close(transcript);
  await until(async () => (await stateOf(database, turnId)) !== 'running');
  expect(await stateOf(database, turnId)).toBe('ended');
  expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
}

test('a browser at another replica hears of batch and turn, and sees every frame', async () => {
  const watcher = new Watcher(second.service, device.accountId);
  const stranger = new Watcher(second.service, (await makeAccount(database)).accountId);
  const { turnId, transcript } = await acceptedAtFirst();
  worker.speak(transcript, 10);
  await until(() => watcher.turnRecords.length >= 11);
  worker.speak(transcript, 10);
  worker.close(transcript);
  await until(async () => (await stateOf(database, turnId)) === 'ended');
  // A turn that is followed a second time, while its end is being written, is sent again.
  const different = () => [...new Map(watcher.turnRecords.map((record) => [toBase64Url(record), record])).values()];
  await until(() => different().length === 22);
  expect(Buffer.concat(different()).equals(worker.recordsOf(transcript))).toBe(true);
  expect(watcher.kinds).toContain('newer');
  expect(watcher.kinds).toContain('started');
  expect(stranger.kinds).toEqual(['heartbeat']);
  expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
});

test('a browser that connects later gets on where the stored frames end', async () => {
  const { turnId, transcript } = await acceptedAtFirst();
  worker.speak(transcript, 5);
  await until(async () => (await storedBytes(database, turnId)).length > 5 * 300);
  const watcher = new Watcher(second.service, device.accountId);
  await until(() => worker.watches.length > 0);
  worker.speak(transcript, 5);
  await until(() => watcher.turnRecords.length >= 5);
  const stored = await storedBytes(database, turnId);
  const merged = Buffer.concat([stored.subarray(0, worker.recordsOf(transcript).length - 5 * 313), watcher.bytes]);
  expect(merged.equals(worker.recordsOf(transcript))).toBe(true);
  watcher.leave();
  await until(() => second.service.hub.find(fromBase64Url(turnId)) === undefined);
});

test('turns of a killed replica are taken over by the other, byte for byte', async () => {
  const watcher = new Watcher(second.service, device.accountId);
  const { turnId, transcript } = await acceptedAtFirst();
  worker.speak(transcript, 8);
  await until(() => watcher.turnRecords.length === 9);
  first.kill('SIGKILL');
  await once(first, 'exit');
  worker.speak(transcript, 8);
  expect(await resumeTurns(second.service)).toBe(0);
  // Time passes for the lease alone.
  await database.db
    .updateTable('turns')
    .set({ lease_until: sql<number>`lease_until - 15000` })
    .execute();
  await until(async () => second.service.hub.find(fromBase64Url(turnId))?.owned === true);
  worker.speak(transcript, 8);
  worker.close(transcript);
  await until(async () => (await stateOf(database, turnId)) === 'ended');
  expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  expect(watcher.bytes.equals(worker.recordsOf(transcript))).toBe(true);
});

test('a turn that the first replica refused is over when it says so, and is answered at the second', async () => {
  worker.refusal = 'unknown-key';
  const start = await beginAtFirst('changed');
  expect(await stateOf(database, start.turnId)).toBe('lost');
  worker.refusal = null;
  await answeredAtSecond(start);
});

test('a replica ends no turn that another one has taken over', async () => {
  const other = await openDatabase(database.place);
  const stale = await startTurnProcess(other, [worker], feedOf(other));
  worker.refusal = 'enclave-starting';
  const start = turnStart(device, await enclaveId());
  await expect(startTurn(stale.service, device.accountId, start)).rejects.toMatchObject({ code: 'enclave-starting' });
  expect(await stateOf(database, start.turnId)).toBe('running');
  worker.refusal = null;
  await answeredAtSecond(start, async () => {
    const [enclave] = await stale.service.pool.choose({ accountId: '', model: '' });
    stale.service.hub.lost(enclave!);
    await stale.service.journal.flush();
  });
  // Its own it does end.
  worker.refusal = 'enclave-starting';
  const own = turnStart(device, await enclaveId(), { batch: null });
  await expect(startTurn(stale.service, device.accountId, own)).rejects.toMatchObject({ code: 'enclave-starting' });
  const [enclave] = await stale.service.pool.choose({ accountId: '', model: '' });
  stale.service.hub.lost(enclave!);
  await stale.service.journal.flush();
  expect(await stateOf(database, own.turnId)).toBe('lost');
  await stale.service.close();
  await other.close();
});

test('the feed comes back after its connection was cut, and says that something may be missed', async () => {
  const other = await openDatabase(database.place);
  const [sender, receiver] = [feedOf(other), feedOf(database)];
  const heard: Change[] = [];
  let missed = 0;
  await receiver.listen(
    (change) => heard.push(change),
    () => (missed += 1),
  );
  const accountId = device.accountId;
  // Once it listens, nothing is lost: said a single time.
  sender.publish({ kind: 'started', accountId, turnId: randomBytes(16) });
  await until(() => heard.length === 1);
  const publishUntilHeard = async (count: number) =>
    until(async () => {
      sender.publish({ kind: 'started', accountId, turnId: randomBytes(16) });
      return heard.length > count;
    });
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where ${isListening}`.execute(database.db);
  await until(() => missed === 1);
  await publishUntilHeard(heard.length);
  sender.publish({ kind: 'session-ended', sessionId: 'a session' });
  await until(() => heard.some((change) => change.kind === 'session-ended' && change.sessionId === 'a session'));
  await sql`select pg_notify('sotto_changes', ${'{"kind":"newer"}'})`.execute(database.db);
  await sql`select pg_notify('sotto_changes', ${'not json'})`.execute(database.db);
  sender.publish({ kind: 'newer', accountId });
  await until(() => heard.at(-1)?.kind === 'newer');
  expect(heard.filter((change) => change.kind === 'newer')).toEqual([{ kind: 'newer', accountId }]);
  await Promise.all([sender.close(), receiver.close()]);
  await other.close();
});
