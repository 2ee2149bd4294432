import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { closeReasonOf, recordBody } from '../../../../crypto/protocol/messages/live-record.ts';
import { type Bytes, fromBase64Url, randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { resumeTurns } from '../../../../server/turns/following/resume-turns.ts';
import { startTurn } from '../../../../server/turns/start-turn.ts';
import type { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import {
  openTurnScene,
  startTurnProcess,
  stateOf,
  storedBytes,
  type TurnProcess,
  turnStart,
  until,
  Watcher,
} from '../../../parts/relay/in-process/turn-process.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import type { VaultDevice } from '../../../parts/users/without-keys/vault-device.ts';

describe.each(databaseKinds)('turns that meet trouble on %s', (kind) => {
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
    vi.useRealTimers();
    await relay.service.close();
    await worker.stop();
  });

  async function begin() {
    const start = turnStart(device, enclaveId, { batch: null });
    await startTurn(relay.service, device.accountId, start);
    return { turnId: start.turnId, transcript: worker.transcriptOf(start.turnId) };
  }
  const ended = (turnId: string) => until(async () => (await stateOf(database, turnId)) === 'ended');

  test('a broken stream is picked up where it broke, for browser and journal', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 6);
    await until(() => watcher.turnRecords.length === 7);
    worker.cutConnections();
    worker.speak(transcript, 6);
    await until(() => worker.streamCount === 1);
    worker.speak(transcript, 2);
    worker.close(transcript);
    await ended(turnId);
    expect(watcher.bytes.equals(worker.recordsOf(transcript))).toBe(true);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    expect(worker.watches).toContainEqual(expect.objectContaining({ turnId, from: 6 }));
  });

  test('a frame that is missing on the stream is asked for again, and none is passed out of order', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 3);
    transcript.frames.push(randomBytes(272));
    worker.speak(transcript, 3);
    await until(() => watcher.turnRecords.length === 8);
    worker.close(transcript);
    await ended(turnId);
    expect(watcher.bytes.equals(worker.recordsOf(transcript))).toBe(true);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('an end that comes before missing frames waits for them', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 2);
    transcript.frames.push(randomBytes(272), randomBytes(272));
    worker.sendFrame(transcript, 3);
    worker.close(transcript);
    await ended(turnId);
    expect(watcher.bytes.equals(worker.recordsOf(transcript))).toBe(true);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('a number that comes again is passed on once, and stored once', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 3);
    worker.sendFrame(transcript, 1);
    worker.sendFrame(transcript, 1, randomBytes(272));
    worker.speak(transcript, 1);
    worker.close(transcript);
    await ended(turnId);
    expect(watcher.bytes.equals(worker.recordsOf(transcript))).toBe(true);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('a stored number with other bytes is a fault in the log, and the first bytes stay', async () => {
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 2);
    await until(async () => (await storedBytes(database, turnId)).length > 700);
    const { journal } = relay.service;
    const addAgain = (frame: Bytes) => journal.addFrame(fromBase64Url(turnId), transcript.transcriptId, 0, frame);
    addAgain(transcript.frames[0]!);
    await journal.flush();
    expect(relay.log.codes).not.toContain('frame-differs');
    addAgain(randomBytes(272));
    await journal.flush();
    expect(relay.log.codes).toContain('frame-differs');
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('an enclave that forgot the turn ends it as lost', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 2);
    await until(() => watcher.turnRecords.length === 3);
    worker.transcripts.length = 0;
    worker.cutConnections();
    await until(async () => (await stateOf(database, turnId)) === 'lost');
    expect(closeReasonOf(recordBody(watcher.turnRecords.at(-1)!)[0])).toBe('gone');
    expect((await storedBytes(database, turnId)).at(-1)).toBe(2);
  });

  test('an enclave that stays away past the time that it holds frames ends the turn as lost, not before', async () => {
    const watcher = new Watcher(relay.service, device.accountId);
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 2);
    await until(() => watcher.turnRecords.length === 3);
    await worker.stop();
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 14 * 60_000);
    relay.service.hub.sweep();
    expect(relay.service.hub.find(fromBase64Url(turnId))).toBeDefined();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 16 * 60_000);
    relay.service.hub.sweep();
    vi.restoreAllMocks();
    await until(async () => (await stateOf(database, turnId)) === 'lost');
    await until(() => closeReasonOf(recordBody(watcher.turnRecords.at(-1)!)[0]) === 'lost');
  });

  test('a turn that falls silent is asked for again', async () => {
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 2);
    await until(async () => (await storedBytes(database, turnId)).length > 700);
    transcript.frames.push(randomBytes(272));
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 20_000);
    relay.service.hub.sweep();
    vi.restoreAllMocks();
    await until(async () => (await storedBytes(database, turnId)).equals(worker.recordsOf(transcript)));
    expect(worker.watches).toEqual([expect.objectContaining({ turnId, from: 2 })]);
  });

  test('a relay that stops in order leaves its turns to the next, which finds every byte', async () => {
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 5);
    await until(async () => relay.service.hub.find(fromBase64Url(turnId))?.transcripts.size === 1);
    await relay.service.close();
    worker.speak(transcript, 4);
    relay = await startTurnProcess(database, [worker]);
    worker.speak(transcript, 3);
    worker.close(transcript);
    await ended(turnId);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('a relay that stopped between the last frame and the end of the turn ends it', async () => {
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 3);
    worker.close(transcript);
    await ended(turnId);
    await database.db
      .updateTable('turns')
      .set({ state: 'running', lease_owner: 'a dead process', lease_until: 1 })
      .where('id', '=', fromBase64Url(turnId))
      .execute();
    worker.transcripts.length = 0;
    expect(await resumeTurns(relay.service)).toBe(1);
    await ended(turnId);
  });

  test.each([0, 1, 2])('a gap in what is stored is filled: piece %i of three', async (lost) => {
    const { turnId, transcript } = await begin();
    for (let piece = 1; piece <= 3; piece++) {
      worker.speak(transcript, 4);
      await until(
        () => relay.service.hub.find(fromBase64Url(turnId))?.transcripts.values().next().value?.pushed === 4 * piece,
      );
      await relay.service.journal.flush();
    }
    await relay.service.close();
    await database.db
      .deleteFrom('frames')
      .where('turn_id', '=', fromBase64Url(turnId))
      .where('number', '=', 4 * lost)
      .execute();
    relay = await startTurnProcess(database, [worker]);
    worker.close(transcript);
    await ended(turnId);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test('rows that overlap give each frame once', async () => {
    const { turnId, transcript } = await begin();
    worker.speak(transcript, 12);
    await until(async () => (await storedBytes(database, turnId)).equals(worker.recordsOf(transcript)));
    const { journal } = relay.service;
    for (const number of [5, 6, 7]) {
      journal.addFrame(fromBase64Url(turnId), transcript.transcriptId, number, transcript.frames[number]!);
    }
    await journal.flush();
    worker.speak(transcript, 2);
    worker.close(transcript);
    await ended(turnId);
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    for (const after of [4, 5, 6, 7, 8, 12]) {
      const rest = await storedBytes(database, turnId, after);
      expect(rest.equals(worker.recordsOf(transcript, after + 1))).toBe(true);
    }
  });

  test('a header that is not what it says is not stored', async () => {
    const { turnId, transcript } = await begin();
    const watcher = new Watcher(relay.service, device.accountId);
    const wrong = { ...transcript, transcriptId: randomBytes(16) };
    worker.broadcast(worker.recordsOf({ ...wrong, frames: [] }));
    worker.speak(transcript, 1);
    worker.close(transcript);
    await ended(turnId);
    expect(relay.log.codes).toContain('header-malformed');
    expect((await storedBytes(database, turnId)).equals(worker.recordsOf(transcript))).toBe(true);
    expect(watcher.turnRecords.length).toBeLessThanOrEqual(3);
  });
});
