import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTurnRecord } from '../../parts/relay/in-process/turn-process.ts';
import { decodeLiveRecord, recordKind } from '../../../crypto/protocol/messages/live-record.ts';
import { type ErrorCode, errorCodes } from '../../../crypto/protocol/messages/error-codes.ts';
import type { BatchAnswer, HeadsAnswer, SyncAnswer } from '../../../crypto/protocol/messages/item-messages.ts';
import { inlineBodyLength } from '../../../crypto/protocol/messages/item-messages.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { type Listening, listen } from '../../../server/connections/listener.ts';
import { databaseFileName } from '../../../server/storage/sqlite/sqlite.ts';
import { cryptoReady, signUp } from '../../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../../parts/users/with-keys/node-relay.ts';
import { ScriptedWorker } from '../../parts/worker/scripted-worker.ts';
import { makeTestRelay } from '../../parts/relay/in-process/test-relay.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../parts/users/without-keys/unopened-request.ts';
import { newId } from '../../parts/users/without-keys/vault-device.ts';

/* The routes of vault and turns over a real socket, with a scripted worker behind. */

const worker = new ScriptedWorker();
let opened: Awaited<ReturnType<typeof makeTestRelay>>;
let listening: Listening;
let relay: NodeRelay;
let device: NodeDevice;

beforeAll(async () => {
  await cryptoReady();
  await worker.start();
  const environment = { ENCLAVE_URLS: worker.url, ENCLAVE_TOKEN: worker.token };
  opened = await makeTestRelay('sqlite', { environment });
  listening = await listen(opened.relay.app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  ({ relay, device } = await newDevice());
});
afterAll(async () => {
  const closed = listening.close(1_000);
  await opened.close();
  await closed;
  await worker.stop();
});

async function newDevice(): Promise<{ relay: NodeRelay; device: NodeDevice }> {
  const session = new NodeRelay(`http://127.0.0.1:${listening.port}`);
  const account = await signUp(session, `user-${randomUUID().slice(0, 8)}`, 'a password of some length');
  return { relay: session, device: new NodeDevice(session, account) };
}

async function startBody(dependencies: { readonly batch?: object | null } = {}) {
  const { json } = await relay.call('POST', '/v1/enclaves', { format: 1, nonce: newNonce(), model: 'default' });
  const { enclaveId } = json as { enclaveId: string };
  const { request, turnId } = sealedRequestFor({ model: 'test-model' });
  return {
    format: 1,
    turnId: toBase64Url(turnId),
    enclaveId,
    nonce: newNonce(),
    request,
    batch: dependencies.batch ?? null,
  };
}

function newNonce(): string {
  return toBase64Url(randomBytes(32));
}

describe('every route', () => {
  const calls = [
    ['POST', '/v1/items'],
    ['GET', '/v1/items?afterCounter=0'],
    ['GET', `/v1/items/${'A'.repeat(22)}/body`],
    ['GET', '/v1/pruned-items?afterCounter=0'],
    ['GET', '/v1/heads?after=0'],
    ['GET', '/v1/models'],
    ['POST', '/v1/enclaves'],
    ['POST', '/v1/turns'],
    ['POST', `/v1/turns/${'A'.repeat(22)}/attempts`],
    ['POST', `/v1/turns/${'A'.repeat(22)}/stop`],
    ['GET', '/v1/turns?afterMs=0'],
    ['GET', `/v1/turns/${'A'.repeat(22)}/frames?after=-1`],
    ['GET', '/v1/live'],
  ] as const;

  test.each(calls)('%s %s wants a session', async (method, path) => {
    const stranger = new NodeRelay(relay.url.href);
    const answer = await stranger.call(method, path, method === 'POST' ? {} : undefined);
    expect([answer.status, answer.json]).toEqual([401, { error: 'not-signed-in' }]);
  });

  test.each([
    ['/v1/items'],
    ['/v1/items?afterCounter=-1'],
    ['/v1/items?afterCounter=1e3'],
    ['/v1/items?afterCounter=0&limit=0'],
    ['/v1/items?afterCounter=0&limit=501'],
    ['/v1/items?afterCounter=0&afterCounter=1'],
    ['/v1/items?afterCounter=0&afterId=short'],
    ['/v1/items/short/body'],
    ['/v1/pruned-items'],
    ['/v1/pruned-items?afterCounter=-1'],
    ['/v1/pruned-items?afterCounter=0&limit=1001'],
    ['/v1/pruned-items?afterCounter=0&afterId=short'],
    ['/v1/heads?after=0&limit=1001'],
    ['/v1/heads?after=99999999999999999'],
    ['/v1/turns?afterMs=0&order=desc'],
    [`/v1/turns/${'A'.repeat(22)}/frames`],
    [`/v1/turns/${'A'.repeat(22)}/frames?after=-2`],
    [`/v1/turns/${'A'.repeat(22)}/frames?after=4294967296`],
    [`/v1/turns/${'A'.repeat(21)}/frames?after=-1`],
    ['/v1/live?from=1'],
  ])('GET %s is a bad request', async (path) => {
    expect((await relay.call('GET', path)).json).toEqual({ error: 'bad-request' });
  });

  test.each([
    ['/v1/items?afterCounter=0'],
    ['/v1/items?afterCounter=1&afterId=AAAAAAAAAAAAAAAAAAAAAA&limit=500'],
    ['/v1/heads?after=0&limit=1000'],
    ['/v1/turns?afterMs=0'],
    ['/v1/models'],
  ])('GET %s is answered', async (path) => {
    expect((await relay.call('GET', path)).status).toBe(200);
  });
});

test('items: a batch, its page, a large body, the chain of heads', async () => {
  const mine = await newDevice();
  const large = toBase64Url(randomBytes(inlineBodyLength + 1));
  const batch = mine.device.batch([]);
  const items = [{ id: newId(), version: 1, expiresAt: 0, flags: 0, body: large }];
  const stored = await mine.relay.expect<BatchAnswer>(200, 'POST', '/v1/items', { ...batch, items });
  expect(stored.counter).toBe(2);
  const page = await mine.relay.expect<SyncAnswer>(200, 'GET', '/v1/items?afterCounter=1');
  expect(page).toMatchObject({ items: [{ id: items[0]!.id, bodyState: 'large', body: null }], more: false });
  const { bytes } = await mine.relay.call('GET', `/v1/items/${items[0]!.id}/body`);
  expect(bytes.equals(fromBase64Url(large))).toBe(true);
  const chain = await mine.relay.expect<HeadsAnswer>(200, 'GET', '/v1/heads?after=1&limit=10');
  expect(chain.heads).toEqual([batch.head]);
  expect((await relay.call('GET', `/v1/items/${items[0]!.id}/body`)).json).toEqual({ error: 'not-found' });
  const conflict = await mine.relay.call('POST', '/v1/items', { ...batch, head: mine.device.batch([]).head });
  expect([conflict.status, conflict.json]).toEqual([409, { error: 'head-conflict' }]);
});

test('live: newer for each batch, started and raw records for a turn, of this account alone', async () => {
  const stranger = await newDevice();
  const [records, strange]: Uint8Array[][] = [[], []];
  const stop = await relay.watch((record) => records!.push(record));
  const stopStranger = await stranger.relay.watch((record) => strange!.push(record));
  await relay.expect(200, 'POST', '/v1/items', device.batch([]));
  const start = await startBody({ batch: device.batch([]) });
  expect(await relay.expect(202, 'POST', '/v1/turns', start)).toEqual({
    format: 1,
    turnId: start.turnId,
    state: 'running',
  });
  const transcript = worker.transcriptOf(start.turnId);
  worker.speak(transcript, 20);
  worker.close(transcript);
  await until(() => records!.some((record) => recordKind(record) === 'closed'));
  const turn = records!.filter(isTurnRecord);
  expect(Buffer.concat(turn).equals(worker.recordsOf(transcript))).toBe(true);
  expect(records!.filter((record) => recordKind(record) === 'newer')).toHaveLength(2);
  const started = records!.find((record) => recordKind(record) === 'started')!;
  expect(toBase64Url(decodeLiveRecord(started).turnId)).toBe(start.turnId);
  expect(strange!.map(recordKind)).toEqual(['heartbeat']);
  const { bytes } = await relay.call('GET', `/v1/turns/${start.turnId}/frames?after=-1`);
  expect(bytes.equals(worker.recordsOf(transcript))).toBe(true);
  const rest = await relay.call('GET', `/v1/turns/${start.turnId}/frames?after=14&transcript=${'A'.repeat(22)}`);
  expect(rest.bytes).toHaveLength(0);
  const id = toBase64Url(transcript.transcriptId);
  const tail = await relay.call('GET', `/v1/turns/${start.turnId}/frames?after=14&transcript=${id}`);
  expect(tail.bytes.equals(worker.recordsOf(transcript, 15))).toBe(true);
  const theirs = await stranger.relay.call('GET', `/v1/turns/${start.turnId}/frames?after=-1`);
  expect(theirs.json).toEqual({ error: 'not-found' });
  stop();
  stopStranger();
});

test('frames: whoever reads one turn again and again does not cut into pieces what is gathered of others', async () => {
  const mine = await startBody();
  await relay.expect(202, 'POST', '/v1/turns', mine);
  worker.close(worker.transcriptOf(mine.turnId));
  const other = await newDevice();
  const theirs = await startBody();
  const beganAtMs = performance.now();
  await other.relay.expect(202, 'POST', '/v1/turns', theirs);
  const transcript = worker.transcriptOf(theirs.turnId);
  for (let count = 0; count < 40; count++) {
    worker.speak(transcript, 1);
    await relay.expect(200, 'GET', `/v1/turns/${mine.turnId}/frames?after=-1`);
  }
  const gatheredMs = performance.now() - beganAtMs;
  worker.close(transcript);
  await until(async () => {
    const { bytes } = await other.relay.call('GET', `/v1/turns/${theirs.turnId}/frames?after=-1`);
    return bytes.equals(worker.recordsOf(transcript));
  });
  using file = new DatabaseSync(join(opened.settings.dataFolder, databaseFileName), { readOnly: true });
  const rows = file.prepare('select number from frames where turn_id = ?').all(fromBase64Url(theirs.turnId));
  // Frames of 0.7 s make a row.
  expect(rows.length).toBeLessThanOrEqual(3 + gatheredMs / 700);
});

test('live: ends when its session is signed out, and not when another is', async () => {
  const [mine, other] = [await newDevice(), await newDevice()];
  let [mineEnded, otherEnded] = [false, false];
  await mine.relay.watch(
    () => undefined,
    () => (mineEnded = true),
  );
  const stop = await other.relay.watch(
    () => undefined,
    () => (otherEnded = true),
  );
  const { sessions } = await mine.relay.expect<{ sessions: { sessionId: string }[] }>(200, 'GET', '/v1/sessions');
  await mine.relay.call('DELETE', `/v1/sessions/${sessions[0]!.sessionId}`);
  await until(() => mineEnded);
  expect(otherEnded).toBe(false);
  stop();
});

test('enclave-changed carries evidence, and the attempt after it is accepted', async () => {
  const start = await startBody();
  worker.refusal = 'unknown-key';
  const changed = await relay.call('POST', '/v1/turns', start);
  expect(changed).toMatchObject({
    status: 409,
    json: { error: 'enclave-changed', enclave: { publicKeys: [expect.any(String)] } },
  });
  worker.refusal = null;
  const { request } = sealedRequestFor({ model: 'test-model', turnId: fromBase64Url(start.turnId) });
  const attempt = { format: 1, enclaveId: start.enclaveId, nonce: newNonce(), request };
  await relay.expect(202, 'POST', `/v1/turns/${start.turnId}/attempts`, attempt);
  await relay.expect(202, 'POST', `/v1/turns/${start.turnId}/stop`, { format: 1, stopToken: newNonce() });
  expect(worker.stops.at(-1)).toMatchObject({ turnId: start.turnId });
});

test('enclave-changed: the format of the statement that the turn asks for is asked of the worker', async () => {
  for (const wish of [{}, { statement: 2 }] as const) {
    const start = { ...(await startBody()), ...wish };
    worker.refusal = 'unknown-key';
    worker.questions.splice(0);
    expect((await relay.call('POST', '/v1/turns', start)).json).toMatchObject({ error: 'enclave-changed' });
    expect(worker.questions).toEqual([{ format: 1, nonce: start.nonce, model: 'test-model', ...wish }]);
    worker.refusal = null;
  }
  const asked = { format: 1, nonce: newNonce(), model: 'default', statement: 2 };
  await relay.expect(200, 'POST', '/v1/enclaves', asked);
  expect(worker.questions.at(-1)).toEqual(asked);
  expect((await relay.call('POST', '/v1/enclaves', { ...asked, statement: 3 })).json).toEqual({ error: 'bad-request' });
});

test('a worker that is away is a code, and the relay stays up', async () => {
  await worker.stop();
  const asked = { format: 1, nonce: newNonce(), model: 'default' };
  expect((await relay.call('POST', '/v1/enclaves', asked)).json).toEqual({ error: 'enclave-unreachable' });
  expect((await relay.call('GET', '/v1/models')).status).toBe(502);
  expect((await relay.call('GET', '/v1/items?afterCounter=0')).status).toBe(200);
  await worker.start();
  await until(async () => (await relay.call('GET', '/v1/models')).status === 200);
});

/** The codes that openapi.json names for starting a turn; whoever writes a client reads no other list. */
async function namedForStart(): Promise<readonly string[]> {
  type Described = { paths: Record<string, { post: { responses: Record<string, { description: string }> } }> };
  const { paths } = await relay.expect<Described>(200, 'GET', '/v1/openapi.json');
  return Object.values(paths['/v1/turns']!.post.responses).flatMap(({ description }) => description.split(', '));
}

test('startTurn: each refusal of a worker reaches the client as a code that openapi.json names', async () => {
  const named = await namedForStart();
  // Refused questions hold the places of an account.
  const other = await newDevice();
  const told = new Set<string>();
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    worker.refusal = code;
    const { json } = await other.relay.call('POST', '/v1/turns', await startBody());
    told.add((json as { error: string }).error);
  }
  worker.refusal = null;
  // 409 is described by the schema of the answer that names another enclave.
  const others = [...told].filter((code) => errorCodes[code as ErrorCode].status !== 409);
  expect(others.length).toBeGreaterThan(3);
  expect(named).toEqual(expect.arrayContaining(others));
});

test('startTurn: a request of a later format gets a code that openapi.json names; of this format it is taken', async () => {
  const start = await startBody();
  const header = fromBase64Url(start.request.header);
  header[0] = 9;
  const later = { ...start, request: { ...start.request, header: toBase64Url(header) } };
  const { json } = await relay.call('POST', '/v1/turns', later);
  expect(json).toEqual({ error: 'unsupported-version' });
  expect(await namedForStart()).toContain('unsupported-version');
  await relay.expect(202, 'POST', '/v1/turns', start);
});
