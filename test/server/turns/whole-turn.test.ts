import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { isTurnRecord } from '../../parts/relay/in-process/turn-process.ts';
import {
  decodeLiveRecord,
  LiveRecordSplitter,
  recordKind,
  recordNumber,
} from '../../../crypto/protocol/messages/live-record.ts';
import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { deriveStopToken } from '../../../crypto/turn/turn-key.ts';
import { cryptoReady, signIn, signUp } from '../../parts/users/with-keys/node-account.ts';
import { NodeDevice, type PreparedTurn } from '../../parts/users/with-keys/node-device.ts';
import { ReplyReader } from '../../parts/users/with-keys/sealed-turn.ts';
import { NodeRelay } from '../../parts/users/with-keys/node-relay.ts';
import { databaseKinds } from '../../parts/storage/relay-database.ts';
import { RelayAndWorker } from '../../parts/relay/relay-and-worker.ts';
import { createDatabase } from '../../parts/storage/shared-postgres.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

/*
 * The whole way in Node, with nothing scripted: OPAQUE, sealed items, a sealed request, the real worker with its
 * rehearsal engine, and replies that open.
 */

const password = 'correct horse battery staple';

beforeAll(() => cryptoReady());

/** Asks seldom: calls are limited by address. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not happen within a minute.');
    await sleep(250);
  }
}

async function framesOf(relay: NodeRelay, prepared: PreparedTurn): Promise<Uint8Array[]> {
  const { bytes, status } = await relay.call('GET', `/v1/turns/${prepared.start.turnId}/frames?after=-1`);
  expect(status).toBe(200);
  return new LiveRecordSplitter().push(bytes);
}

/** True if the last record says that nothing more comes. */
function endsClosed(records: readonly Uint8Array[]): boolean {
  const last = records.at(-1);
  return last !== undefined && recordKind(last) === 'closed';
}

function readStored(prepared: PreparedTurn, records: readonly Uint8Array[]): ReplyReader {
  const reader = new ReplyReader(prepared);
  for (const record of records) reader.take(decodeLiveRecord(record));
  return reader;
}

describe.concurrent.each(databaseKinds)('a whole turn on %s', (kind) => {
  async function start() {
    const folder = await makeTemporaryFolder('relay');
    const place = kind === 'postgres' ? { DATABASE_URL: await createDatabase() } : {};
    const system = await new RelayAndWorker({ DATA_DIR: folder.path, ...place }).start();
    const relay = new NodeRelay(system.url);
    const name = `user-${randomUUID().slice(0, 8)}`;
    const account = await signUp(relay, name, password);
    return { system, relay, name, device: new NodeDevice(relay, account), folder };
  }

  test('sign up, ask, read the answer live, sign in elsewhere and find it', async () => {
    const { system, relay, name, device } = await start();
    await using _ = system;
    const records: Uint8Array[] = [];
    await relay.watch((record) => records.push(record));
    const prepared = await device.prepareTurn('What is a zero-knowledge relay?', { stored: true });
    await relay.expect(202, 'POST', '/v1/turns', prepared.start);
    await until(() => records.some((record) => recordKind(record) === 'closed'));
    const live = readStored(prepared, records);
    expect(live.text.length).toBeGreaterThan(100);
    expect([live.isFinal, live.closed, live.end?.outcome]).toEqual([true, true, 'complete']);

    const elsewhere = new NodeRelay(system.url);
    const other = new NodeDevice(elsewhere, await signIn(elsewhere, name, password));
    const contents = await other.pull();
    expect(contents.map((content) => content.type).toSorted()).toEqual(['conversation', 'message']);
    expect(contents.find((content) => content.type === 'message')).toMatchObject({
      text: 'What is a zero-knowledge relay?',
      turnId: prepared.start.turnId,
      turnKey: toBase64Url(prepared.turnKey.expose()),
    });
    const stored = await framesOf(elsewhere, prepared);
    expect(readStored(prepared, stored).text).toBe(live.text);
    const sent = records.filter(isTurnRecord);
    expect(Buffer.concat(stored).equals(Buffer.concat(sent))).toBe(true);
    const { turns } = await elsewhere.expect<{ turns: { state: string }[] }>(
      200,
      'GET',
      '/v1/turns?afterMs=0&limit=10',
    );
    await until(async () => turns.length === 1);
  });

  test('a relay killed twice in the middle of an answer loses nothing of it', async () => {
    const { system, relay, device } = await start();
    await using _ = system;
    const prepared = await device.prepareTurn('A long answer, please.', { stored: true });
    await relay.expect(202, 'POST', '/v1/turns', prepared.start);
    for (const pauseMs of [900, 2_100]) {
      await sleep(pauseMs);
      await system.killRelay();
      await system.startRelay();
    }
    // So that the test need not wait for the end; FINAL proves the rest as well.
    const stop = { format: 1, stopToken: toBase64Url(deriveStopToken(prepared)) };
    await relay.expect(202, 'POST', `/v1/turns/${prepared.start.turnId}/stop`, stop);
    let live = '';
    // Does what a browser does: watch first, then read what is stored, and merge by number.
    const records = new Map<number, Uint8Array>();
    let header: Uint8Array | null = null;
    const take = (record: Uint8Array) => {
      if (recordKind(record) === 'header') header = record;
      if (recordKind(record) === 'frame') records.set(recordNumber(record), record);
    };
    await relay.watch(take);
    await until(async () => {
      for (const record of await framesOf(relay, prepared)) take(record);
      if (header === null) return false;
      const whole = readStored(prepared, [header]);
      for (let n = 0; records.has(n); n++) whole.take(decodeLiveRecord(records.get(n)!));
      live = whole.text;
      return whole.isFinal;
    });
    // FINAL carries the count and the hash of every frame: what opened is what an uninterrupted relay would hold.
    await until(async () => endsClosed(await framesOf(relay, prepared)));
    expect(readStored(prepared, await framesOf(relay, prepared))).toMatchObject({
      text: live,
      isFinal: true,
      closed: true,
    });
    expect(live.length).toBeGreaterThan(500);
  });

  test('a relay that is stopped in order, and one that lost its worker', async () => {
    const { system, relay, device } = await start();
    await using _ = system;
    const first = await device.prepareTurn('A long answer, please.', { stored: false });
    await relay.expect(202, 'POST', '/v1/turns', first.start);
    await sleep(700);
    expect(await system.stopRelay()).toBe(0);
    await system.startRelay();
    await until(async () => (await framesOf(relay, first)).length > 20);
    // The worker's keys and frames are gone for good: the turn ends as lost, and a new request is to be sealed anew.
    const stale = await device.prepareTurn('Sealed to a key that dies.', { stored: false });
    await system.killWorker();
    await system.startWorker();
    await until(async () => endsClosed(await framesOf(relay, first)));
    expect(readStored(first, await framesOf(relay, first)).isFinal).toBe(false);
    const changed = await relay.expect<{ error: string; enclave: object }>(409, 'POST', '/v1/turns', stale.start);
    expect(changed.error).toBe('enclave-changed');
    const again = await device.prepareTurn('Sealed anew.', { stored: false });
    await relay.expect(202, 'POST', '/v1/turns', again.start);
    await until(async () => endsClosed(await framesOf(relay, again)));
    expect(readStored(again, await framesOf(relay, again))).toMatchObject({ isFinal: true, closed: true });
  });

  test('stop ends the answer inside the seal, and only with the right token', async () => {
    const { system, relay, device } = await start();
    await using _ = system;
    const prepared = await device.prepareTurn('A long answer, please.', { stored: false });
    await relay.expect(202, 'POST', '/v1/turns', prepared.start);
    await until(async () => (await framesOf(relay, prepared)).length > 5);
    const path = `/v1/turns/${prepared.start.turnId}/stop`;
    await relay.expect(202, 'POST', path, { format: 1, stopToken: toBase64Url(new Uint8Array(32)) });
    const before = (await framesOf(relay, prepared)).length;
    await until(async () => (await framesOf(relay, prepared)).length > before + 10);
    expect(readStored(prepared, await framesOf(relay, prepared)).end).toBeNull();
    await relay.expect(202, 'POST', path, { format: 1, stopToken: toBase64Url(deriveStopToken(prepared)) });
    await until(async () => endsClosed(await framesOf(relay, prepared)));
    const reader = readStored(prepared, await framesOf(relay, prepared));
    expect([reader.end?.outcome, reader.isFinal]).toEqual(['stopped', true]);
  });
});
