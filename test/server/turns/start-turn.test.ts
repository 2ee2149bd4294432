import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { listTurns } from '../../../server/turns/rows/list-turns.ts';
import { attemptTurn, startTurn } from '../../../server/turns/start-turn.ts';
import { stopTurn } from '../../../server/turns/stop-turn.ts';
import type { Database } from '../../../server/storage/tables/database.ts';
import { parseBatch } from '../../../server/vault/parse-batch.ts';
import { readItems } from '../../../server/vault/read-items.ts';
import type { ScriptedWorker } from '../../parts/worker/scripted-worker.ts';
import {
  openTurnScene,
  stateOf,
  storedBytes,
  type TurnProcess,
  turnStart,
  until,
  Watcher,
} from '../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../parts/users/without-keys/unopened-request.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { makeAccount, newId, type VaultDevice, write } from '../../parts/users/without-keys/vault-device.ts';

describe.each(databaseKinds)('a turn on %s', (kind) => {
  let database: TestDatabase;
  let worker: ScriptedWorker;
  let relay: TurnProcess;
  let device: VaultDevice;
  let enclaveId: string;

  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });
  beforeEach(async () => {
    ({ worker, relay, device, enclaveId } = await openTurnScene(database));
  });
  afterEach(async () => {
    await relay.service.close();
    await worker.stop();
  });

  const itemsOf = async (): Promise<number> =>
    (await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 500 }))).items.length;
  const turnsOf = (accountId = device.accountId) =>
    listTurns(database.db, accountId, { afterMs: 0, limit: 500 }).then((page) => page.turns);

  test('stores items, hands the request on as it was sealed, and stores the reply byte for byte', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const item = write(newId());
    const start = turnStart(device, enclaveId, { batch: device.batch({ items: [item] }) });
    expect(await startTurn(relay.service, device.accountId, start)).toEqual({ kind: 'accepted', state: 'running' });
    expect(worker.starts.map(({ request }) => request)).toEqual([start.request]);
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 40);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    const sent = worker.recordsOf(transcript);
    expect(watcher.bytes.equals(sent)).toBe(true);
    expect((await storedBytes(database, start.turnId)).equals(sent)).toBe(true);
    expect((await storedBytes(database, start.turnId, 29)).equals(worker.recordsOf(transcript, 30))).toBe(true);
    const page = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 10 }));
    expect(page.items[0]).toMatchObject({ id: item.id, turnId: start.turnId });
    expect(watcher.kinds).toContain('newer');
    expect(watcher.kinds).toContain('started');
    expect((await turnsOf())[0]).toMatchObject({
      turnId: start.turnId,
      state: 'ended',
      attempts: 1,
      stops: 0,
      transcripts: [{ header: toBase64Url(transcript.header), frames: 40 }],
    });
  });

  test('head-conflict stores nothing and hands nothing on', async () => {
    const stale = device.twin();
    await device.send(device.batch());
    const start = turnStart(stale, enclaveId, { batch: stale.batch({ items: [write(newId())] }) });
    await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({ code: 'head-conflict' });
    expect([await itemsOf(), (await turnsOf()).length, worker.starts.length]).toEqual([0, 0, 0]);
    const merged = { ...start, batch: device.batch({ items: start.batch!.items }) };
    await expect(startTurn(relay.service, device.accountId, merged)).resolves.toMatchObject({ kind: 'accepted' });
  });

  test('the same turn again after a lost answer is the same turn', async () => {
    const start = turnStart(device, enclaveId, { batch: device.batch({ items: [write(newId())] }) });
    await startTurn(relay.service, device.accountId, start);
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 3);
    expect(await startTurn(relay.service, device.accountId, start)).toEqual({ kind: 'accepted', state: 'running' });
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    expect(await startTurn(relay.service, device.accountId, start)).toEqual({ kind: 'accepted', state: 'ended' });
    expect(worker.transcripts).toHaveLength(1);
    expect(await itemsOf()).toBe(1);
    expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('another request under a known turn id is a conflict, and stores no item', async () => {
    const turnId = randomBytes(16);
    await startTurn(relay.service, device.accountId, turnStart(device, enclaveId, { batch: null, turnId }));
    const other = turnStart(device, enclaveId, { turnId, batch: device.batch({ items: [write(newId())] }) });
    await expect(startTurn(relay.service, device.accountId, other)).rejects.toMatchObject({ code: 'turn-conflict' });
    expect([await itemsOf(), worker.starts.length]).toEqual([0, 1]);
  });

  test('somebody else’s turn id is a conflict, and its frames are not found', async () => {
    const start = turnStart(device, enclaveId, { batch: null });
    await startTurn(relay.service, device.accountId, start);
    const thief = await makeAccount(database);
    const watcher = new Watcher(relay.service, thief.accountId);
    await expect(startTurn(relay.service, thief.accountId, start)).rejects.toMatchObject({ code: 'turn-conflict' });
    const id = fromBase64Url(start.turnId);
    await expect(stopTurn(relay.service, thief.accountId, id, newId())).rejects.toMatchObject({ code: 'not-found' });
    await expect(attemptTurn(relay.service, thief.accountId, id, start)).rejects.toMatchObject({ code: 'not-found' });
    expect(await turnsOf(thief.accountId)).toEqual([]);
    worker.speak(worker.transcriptOf(start.turnId), 2);
    await until(async () => (await storedBytes(database, start.turnId)).length > 2 * 300);
    expect(watcher.turnRecords).toHaveLength(0);
    expect(worker.stops).toHaveLength(0);
  });

  test('a header that names another turn is refused', async () => {
    const start = turnStart(device, enclaveId);
    const wrong = { ...start, turnId: newId() };
    await expect(startTurn(relay.service, device.accountId, wrong)).rejects.toMatchObject({ code: 'bad-request' });
    await expect(startTurn(relay.service, device.accountId, start)).resolves.toMatchObject({ kind: 'accepted' });
  });

  test('an enclave that does not know the key: items stay, another enclave is offered, the next attempt answers', async () => {
    worker.refusal = 'unknown-key';
    const start = turnStart(device, enclaveId, { batch: device.batch({ items: [write(newId())] }) });
    const answer = await startTurn(relay.service, device.accountId, start);
    expect(answer).toMatchObject({ kind: 'changed', enclave: { enclaveId } });
    await until(async () => (await stateOf(database, start.turnId)) === 'lost');
    expect(await itemsOf()).toBe(1);
    worker.refusal = null;
    const { request } = sealedRequestFor({ model: 'test-model', turnId: fromBase64Url(start.turnId) });
    const attempt = { format: 1, enclaveId, nonce: start.nonce, request } as const;
    const id = fromBase64Url(start.turnId);
    expect(await attemptTurn(relay.service, device.accountId, id, attempt)).toEqual({
      kind: 'accepted',
      state: 'running',
    });
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 5);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    expect((await turnsOf())[0]).toMatchObject({ attempts: 2, state: 'ended' });
    // Over: no third request.
    const late = { ...attempt, request: sealedRequestFor({ model: 'test-model', turnId: id }).request };
    await expect(attemptTurn(relay.service, device.accountId, id, late)).rejects.toMatchObject({
      code: 'turn-conflict',
    });
  });

  test('an entry that the pool does not have any more: another is offered', async () => {
    const start = turnStart(device, 'an-older-entry-1');
    expect(await startTurn(relay.service, device.accountId, start)).toMatchObject({
      kind: 'changed',
      enclave: { enclaveId },
    });
    expect(worker.starts).toHaveLength(0);
    await until(async () => (await stateOf(database, start.turnId)) === 'lost');
  });

  test.each(['request-expired', 'request-refused'] as const)('%s is passed on, with the items stored', async (code) => {
    worker.refusal = code;
    const start = turnStart(device, enclaveId, { batch: device.batch({ items: [write(newId())] }) });
    await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({ code });
    expect(await itemsOf()).toBe(1);
    await until(async () => (await stateOf(database, start.turnId)) === 'lost');
  });

  test('an enclave that took the request and fell silent: the same call again finds the same transcript', async () => {
    worker.swallowAnswer = true;
    const start = turnStart(device, enclaveId, { batch: device.batch({ items: [write(newId())] }) });
    await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({
      code: 'enclave-unreachable',
    });
    worker.swallowAnswer = false;
    expect(await startTurn(relay.service, device.accountId, start)).toMatchObject({ kind: 'accepted' });
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 4);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    expect([worker.transcripts.length, await itemsOf()]).toEqual([1, 1]);
  });

  test('a turn that was just given up is answered when the same call comes again at once', async () => {
    worker.refusal = 'enclave-starting';
    const start = turnStart(device, enclaveId, { batch: null });
    await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({ code: 'enclave-starting' });
    worker.refusal = null;
    relay.service.hub.lost((await relay.service.pool.choose({ accountId: '', model: '' }))[0]!);
    expect(await startTurn(relay.service, device.accountId, start)).toMatchObject({ kind: 'accepted' });
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 4);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) !== 'running');
    expect(await stateOf(database, start.turnId)).toBe('ended');
    expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('stop is counted and passed on with its token', async () => {
    const start = turnStart(device, enclaveId, { batch: null });
    await startTurn(relay.service, device.accountId, start);
    const stopToken = toBase64Url(randomBytes(32));
    await stopTurn(relay.service, device.accountId, fromBase64Url(start.turnId), stopToken);
    expect(worker.stops).toEqual([{ format: 1, turnId: start.turnId, stopToken }]);
    expect((await turnsOf())[0]).toMatchObject({ stops: 1 });
  });

  test('a compact item deletes the transcript and gives its bytes back', async () => {
    const start = turnStart(device, enclaveId);
    await startTurn(relay.service, device.accountId, start);
    device.head = { counter: 2, hash: await currentHash(database, device) };
    const before = await device.usedBytes();
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 32);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    expect(await device.usedBytes()).toBe(before + 32 * (272 + 10));
    const batch = device.batch({ finishTurns: [start.turnId, newId()] });
    await device.send(batch);
    expect(await storedBytes(database, start.turnId)).toHaveLength(0);
    expect(await device.usedBytes()).toBe(before + 380);
    expect((await turnsOf())[0]).toMatchObject({ state: 'ended', transcripts: [] });
  });

  test('a running turn whose conversation is deleted leaves nothing behind', async () => {
    const start = turnStart(device, enclaveId);
    await startTurn(relay.service, device.accountId, start);
    device.head = { counter: 2, hash: await currentHash(database, device) };
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 10);
    await until(async () => (await storedBytes(database, start.turnId)).length > 10 * 300);
    worker.speak(transcript, 5);
    await device.send(device.batch({ finishTurns: [start.turnId] }));
    relay.service.hub.finish(device.accountId, [fromBase64Url(start.turnId)]);
    worker.speak(transcript, 5);
    worker.close(transcript);
    await relay.service.journal.flush();
    const left = await database.db
      .selectFrom('frames')
      .select('number')
      .where('turn_id', '=', fromBase64Url(start.turnId))
      .execute();
    expect(left).toEqual([]);
    expect((await turnsOf())[0]).toMatchObject({ state: 'ended', transcripts: [] });
  });

  test('goes on when another account names it as finished', async () => {
    const start = turnStart(device, enclaveId);
    await startTurn(relay.service, device.accountId, start);
    const stranger = await makeAccount(database);
    const batch = stranger.batch({ finishTurns: [start.turnId] });
    await stranger.send(batch);
    relay.service.stored(stranger.accountId, await parseBatch(batch));
    const transcript = worker.transcriptOf(start.turnId);
    worker.speak(transcript, 32);
    worker.close(transcript);
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    expect((await storedBytes(database, start.turnId)).length).toBeGreaterThanOrEqual(32 * 272);
  });

  test('refuses a turn of a full account', async () => {
    const start = turnStart(device, enclaveId, { batch: null });
    const { clock, collateral, database: same, feed, hub, journal, leases, pool } = relay.service;
    const dependencies = { clock, collateral, database: same, feed, hub, journal, leases, pool };
    const full = { ...dependencies, quotaBytes: 0, stored: () => undefined };
    await expect(startTurn(full, device.accountId, start)).rejects.toMatchObject({ code: 'quota-exceeded' });
    await expect(startTurn(relay.service, device.accountId, start)).resolves.toMatchObject({ kind: 'accepted' });
  });
});

async function currentHash(database: Database, device: VaultDevice) {
  const row = await database.db
    .selectFrom('accounts')
    .select('head_hash')
    .where('id', '=', device.accountId)
    .executeTakeFirstOrThrow();
  return new Uint8Array(row.head_hash);
}
