import { describe, expect, test } from 'vitest';
import { closeReasonOf, recordBody } from '../../../crypto/protocol/messages/live-record.ts';
import { fromBase64Url, randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { DatabaseKind } from '../../../server/storage/tables/column-types.ts';
import { attemptTurn, startTurn } from '../../../server/turns/start-turn.ts';
import { databaseKinds, makeDatabase } from '../../parts/storage/relay-database.ts';
import { ScriptedWorker } from '../../parts/worker/scripted-worker.ts';
import {
  startTurnProcess,
  stateOf,
  storedBytes,
  turnStart,
  until,
  Watcher,
} from '../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../parts/users/without-keys/unopened-request.ts';
import { makeAccount } from '../../parts/users/without-keys/vault-device.ts';

async function begin(kind: DatabaseKind) {
  const database = await makeDatabase(kind);
  const worker = await new ScriptedWorker().start();
  const relay = await startTurnProcess(database, [worker]);
  const device = await makeAccount(database);
  const [enclave] = await relay.service.pool.choose({ accountId: '', model: '' });
  const watcher = new Watcher(relay.service, device.accountId);
  const start = turnStart(device, enclave!.id, { batch: null });
  await startTurn(relay.service, device.accountId, start);
  const { turnId } = start;
  return {
    database,
    relay,
    device,
    start,
    turnId,
    watcher,
    worker,
    transcript: worker.transcriptOf(turnId),
    /** Stores everything that was said. */
    async store(count: number) {
      await until(() => watcher.turnRecords.length === 1 + count);
      await relay.service.journal.flush();
    },
    async loseRow(number: number) {
      const lost = database.db.deleteFrom('frames').where('turn_id', '=', fromBase64Url(turnId));
      await lost.where('number', '=', number).execute();
    },
    async [Symbol.asyncDispose]() {
      await relay.service.close();
      await worker.stop();
      await database.close();
      await database.remove();
    },
  };
}

describe.each(databaseKinds)('a turn whose stored frames have a gap on %s', (kind) => {
  test('the end asks for what is missing, says so in the log, and the turn ends whole', async () => {
    await using turn = await begin(kind);
    const { database, relay, transcript, turnId, worker } = turn;
    for (const count of [4, 8, 12]) {
      worker.speak(transcript, 4);
      await turn.store(count);
    }
    await turn.loseRow(4);
    worker.close(transcript);
    await until(async () => (await stateOf(database, turnId)) === 'ended');
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    expect(worker.watches).toContainEqual(expect.objectContaining({ turnId, from: 4 }));
    expect(relay.log.codes).toContain('frames-missing');
    await until(() => relay.service.hub.find(fromBase64Url(turnId)) === undefined);
  });

  test('an enclave that has the missing frames no longer leaves the turn cut off', async () => {
    await using turn = await begin(kind);
    const { database, transcript, turnId, watcher, worker } = turn;
    worker.speak(transcript, 4);
    await turn.store(4);
    worker.speak(transcript, 4);
    await turn.store(8);
    await turn.loseRow(4);
    worker.transcripts.length = 0;
    worker.close(transcript);
    await until(async () => (await stateOf(database, turnId)) === 'lost');
    const cut = worker.recordsOf({ ...transcript, frames: transcript.frames.slice(0, 4), closed: 'gone' });
    expect((await storedBytes(database, turnId)).equals(cut)).toBe(true);
    await until(() => closeReasonOf(recordBody(watcher.turnRecords.at(-1)!)[0]) === 'gone');
  });

  test('a reader stops before a frame that is missing, and is told that the rest is lost', async () => {
    await using turn = await begin(kind);
    const { database, transcript, turnId, worker } = turn;
    for (const count of [4, 8]) {
      worker.speak(transcript, 4);
      await turn.store(count);
    }
    worker.close(transcript);
    await until(async () => (await stateOf(database, turnId)) === 'ended');
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    await turn.loseRow(0);
    const nothing = worker.recordsOf({ ...transcript, frames: [], closed: 'lost' });
    expect((await storedBytes(database, turnId)).equals(nothing)).toBe(true);
  });
});

test('an enclave that names an end without its frames leaves the turn cut off, not asked about for ever', async () => {
  await using turn = await begin('sqlite');
  const { database, transcript, turnId, worker } = turn;
  worker.speak(transcript, 2);
  const boastful = { ...transcript, frames: [...transcript.frames, randomBytes(272)] };
  for (let time = 0; time < 8; time++) worker.close(boastful);
  await until(async () => (await stateOf(database, turnId)) === 'lost');
  const cut = worker.recordsOf({ ...transcript, closed: 'lost' });
  expect((await storedBytes(database, turnId)).equals(cut)).toBe(true);
});

test('a second transcript that was promised is waited for when the first one ends', async () => {
  await using turn = await begin('sqlite');
  const { database, device, relay, start, transcript: first, turnId, worker } = turn;
  const { hub, journal } = relay.service;
  const id = fromBase64Url(turnId);
  worker.speak(first, 3);
  await turn.store(3);
  // Accepted, with its header still on the way.
  worker.silentStarts = true;
  const { request } = sealedRequestFor({ model: 'test-model', turnId: id });
  const attempt = { format: 1, enclaveId: start.enclaveId, nonce: start.nonce, request } as const;
  await attemptTurn(relay.service, device.accountId, id, attempt);
  worker.close(first);
  await until(() => hub.find(id)?.transcripts.values().next().value?.closed === 'final');
  await journal.flush();
  expect(await stateOf(database, turnId)).toBe('running');
  const second = worker.transcriptOf(turnId);
  expect(second).not.toBe(first);
  worker.broadcast(worker.recordsOf(second));
  worker.speak(second, 2);
  worker.close(second);
  await until(async () => (await stateOf(database, turnId)) === 'ended');
  const both = Buffer.concat([worker.recordsOf(first), worker.recordsOf(second)]);
  expect((await storedBytes(database, turnId)).length).toBe(both.length);
});
