import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { chooseEnclave } from '../../../../server/pools/choose-enclave.ts';
import { attemptTurn, startTurn } from '../../../../server/turns/start-turn.ts';
import { stopTurn } from '../../../../server/turns/stop-turn.ts';
import { makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import {
  startTurnProcess,
  stateOf,
  storedBytes,
  type TurnProcess,
  turnStart,
  until,
} from '../../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';
import { makeAccount, type VaultDevice } from '../../../parts/users/without-keys/vault-device.ts';

/* Two workers behind one relay: an account keeps to one of them, and goes to the other when it must. */

let database: TestDatabase;
let workers: [ScriptedWorker, ScriptedWorker];
let relay: TurnProcess;
let device: VaultDevice;

beforeEach(async () => {
  database = await makeDatabase('sqlite');
  workers = [await new ScriptedWorker().start(), await new ScriptedWorker().start()];
  relay = await startTurnProcess(database, workers);
  device = await makeAccount(database);
});
afterEach(async () => {
  await relay.service.close();
  for (const worker of workers) await worker.stop();
  await database.close();
  await database.remove();
});

const ask = () =>
  chooseEnclave(relay.service, device.accountId, {
    format: 1,
    nonce: toBase64Url(randomBytes(32)),
    model: 'test-model',
  });

/** The worker that this account is sent to, and the other one. */
async function usualAndOther(): Promise<{ id: string; usual: ScriptedWorker; other: ScriptedWorker }> {
  const { enclaveId } = await ask();
  await startTurn(relay.service, device.accountId, turnStart(device, enclaveId, { batch: null }));
  const [usual, other] = workers[0].starts.length > 0 ? workers : workers.toReversed();
  if (usual === undefined || other === undefined) throw new Error('There are two workers.');
  return { id: enclaveId, usual, other };
}

test('an account keeps to its enclave', async () => {
  const { id } = await usualAndOther();
  for (let round = 0; round < 5; round++) expect((await ask()).enclaveId).toBe(id);
});

test('one that is draining is left for another, and taken when all are', async () => {
  const { id, usual, other } = await usualAndOther();
  usual.state = 'draining';
  expect((await ask()).enclaveId).not.toBe(id);
  other.state = 'draining';
  expect((await ask()).enclaveId).toBe(id);
});

test.each(['away', 'busy'])('a turn whose enclave is %s is offered the other, and answered there', async (how) => {
  const { id, usual, other } = await usualAndOther();
  const start = turnStart(device, id, { batch: device.batch() });
  if (how === 'busy') usual.refusal = 'enclave-busy';
  else await usual.stop();
  await until(() => how === 'busy' || usual.streamCount === 0);
  const changed = await startTurn(relay.service, device.accountId, start);
  if (changed.kind !== 'changed') throw new Error('It was accepted.');
  expect(changed.enclave.enclaveId).not.toBe(id);

  const turnId = fromBase64Url(start.turnId);
  const { request } = sealedRequestFor({ model: 'test-model', turnId });
  const attempt = { format: 1, enclaveId: changed.enclave.enclaveId, nonce: start.nonce, request } as const;
  expect(await attemptTurn(relay.service, device.accountId, turnId, attempt)).toMatchObject({ kind: 'accepted' });
  const transcript = other.transcriptOf(start.turnId);
  other.speak(transcript, 4);
  other.close(transcript);
  await until(async () => (await stateOf(database, start.turnId)) === 'ended');
  expect((await storedBytes(database, start.turnId)).equals(other.recordsOf(transcript))).toBe(true);
});

test('a turn that both enclaves took has two transcripts, and ends when both have', async () => {
  const { id, usual, other } = await usualAndOther();
  usual.swallowAnswer = true;
  const start = turnStart(device, id, { batch: null });
  await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({
    code: 'enclave-unreachable',
  });
  const ids = (await relay.service.pool.choose({ accountId: device.accountId, model: 'test-model' })).map((e) => e.id);
  const turnId = fromBase64Url(start.turnId);
  const { request } = sealedRequestFor({ model: 'test-model', turnId });
  const enclaveId = ids.find((candidate) => candidate !== id) ?? '';
  await attemptTurn(relay.service, device.accountId, turnId, { format: 1, enclaveId, nonce: start.nonce, request });
  const [first, second] = [usual.transcriptOf(start.turnId), other.transcriptOf(start.turnId)];
  usual.speak(first, 3);
  other.speak(second, 5);
  other.close(second);
  await relay.service.journal.flush();
  await until(async () => (await storedBytes(database, start.turnId)).length > 8 * 300);
  expect(await stateOf(database, start.turnId)).toBe('running');
  usual.close(first);
  await until(async () => (await stateOf(database, start.turnId)) === 'ended');
  const stored = await storedBytes(database, start.turnId);
  expect(stored).toHaveLength(usual.recordsOf(first).length + other.recordsOf(second).length);
  expect(stored.includes(usual.recordsOf(first))).toBe(true);
  expect(stored.includes(other.recordsOf(second))).toBe(true);
});

/** A turn that is sealed to both, the usual one first. */
async function startForBoth(id: string, batch = device.batch()): Promise<{ start: TurnStart; otherId: string }> {
  const { alternate, enclaveId } = await ask();
  expect(enclaveId).toBe(id);
  if (alternate === undefined) throw new Error('Nothing is offered beside it.');
  const start = { ...turnStart(device, id, { batch }), alternateEnclaveId: alternate.enclaveId };
  return { start, otherId: alternate.enclaveId };
}

test('a second enclave is offered beside the first, with evidence for the same nonce, as long as it takes turns', async () => {
  const { id, other, usual } = await usualAndOther();
  const { alternate, publicKeys } = await ask();
  expect(alternate?.enclaveId).not.toBe(id);
  expect([publicKeys, alternate?.publicKeys]).toEqual([[usual.publicKey], [other.publicKey]]);
  expect(other.nonces.at(-1)).toBe(usual.nonces.at(-1));
  other.state = 'draining';
  expect((await ask()).alternate).toBeUndefined();
  other.state = 'ready';
  expect((await ask()).alternate).toBeDefined();
  await other.stop();
  await until(() => other.streamCount === 0);
  expect((await ask()).alternate).toBeUndefined();
});

test('two entries that lead to one machine are one', async () => {
  const { usual, other } = await usualAndOther();
  other.publicKey = usual.publicKey;
  expect((await ask()).alternate).toBeUndefined();
});

test.each(['unknown-key', 'enclave-busy', 'enclave-starting', 'away', 'gone silent'] as const)(
  'sealed to two, the first one %s: the second takes the very request, in the same call',
  async (how) => {
    const { id, usual, other } = await usualAndOther();
    const { start, otherId } = await startForBoth(id);
    if (how === 'away') {
      await usual.stop();
      await until(() => usual.streamCount === 0);
    } else if (how === 'gone silent') usual.swallowAnswer = true;
    else usual.refusal = how;
    const asked = other.nonces.length;
    expect(await startTurn(relay.service, device.accountId, start)).toEqual({ kind: 'accepted', state: 'running' });
    expect(other.nonces.length).toBe(asked);
    expect(other.starts.at(-1)?.request).toEqual(start.request);
    // A process that resumes it asks there.
    const row = await database.db
      .selectFrom('turns')
      .select('enclave_id')
      .where('id', '=', fromBase64Url(start.turnId))
      .executeTakeFirst();
    expect(row).toEqual({ enclave_id: otherId });
    const transcript = other.transcriptOf(start.turnId);
    other.speak(transcript, 4);
    other.close(transcript);
    // Where it had taken it all the same there are two transcripts, apart, and the turn ends when both have.
    const first = usual.transcripts.find(({ turnId }) => turnId === start.turnId);
    if (first !== undefined) {
      usual.speak(first, 2);
      usual.close(first);
    }
    await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    const stored = await storedBytes(database, start.turnId);
    const firstBytes = first === undefined ? Buffer.alloc(0) : usual.recordsOf(first);
    expect(stored).toHaveLength(firstBytes.length + other.recordsOf(transcript).length);
    expect([stored.includes(firstBytes), stored.includes(other.recordsOf(transcript))]).toEqual([true, true]);
    expect(first !== undefined).toBe(how === 'gone silent');
  },
);

test.each(['request-expired', 'request-refused', 'request-replayed'] as const)(
  'sealed to two, refused by the first as %s: the second is not asked, its twin is taken',
  async (code) => {
    const { id, usual, other } = await usualAndOther();
    const { start } = await startForBoth(id);
    usual.refusal = code;
    const before = other.starts.length;
    await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({ code });
    expect(other.starts).toHaveLength(before);
    usual.refusal = null;
    expect(await startTurn(relay.service, device.accountId, start)).toMatchObject({ kind: 'accepted' });
  },
);

test('sealed to two that are both gone: the client is offered what there is, and the items stay', async () => {
  const { id, usual, other } = await usualAndOther();
  const { start } = await startForBoth(id);
  usual.refusal = 'unknown-key';
  other.refusal = 'unknown-key';
  expect(await startTurn(relay.service, device.accountId, start)).toMatchObject({ kind: 'changed' });
  expect(await database.db.selectFrom('heads').select('counter').execute()).toHaveLength(2);
});

test('a stop reaches both recipients', async () => {
  const { id, usual, other } = await usualAndOther();
  const { start } = await startForBoth(id, device.batch());
  await startTurn(relay.service, device.accountId, start);
  const stopToken = toBase64Url(randomBytes(32));
  await stopTurn(relay.service, device.accountId, fromBase64Url(start.turnId), stopToken);
  for (const { stops } of [usual, other]) expect(stops).toMatchObject([{ turnId: start.turnId, stopToken }]);
});

test('with one enclave alone, its own answer is what the client hears', async () => {
  const { id, usual, other } = await usualAndOther();
  await relay.service.close();
  await other.stop();
  relay = await startTurnProcess(database, [usual]);
  usual.refusal = 'enclave-busy';
  const start = turnStart(device, id, { batch: null });
  await expect(startTurn(relay.service, device.accountId, start)).rejects.toMatchObject({ code: 'enclave-busy' });
  usual.refusal = null;
  expect(await startTurn(relay.service, device.accountId, start)).toMatchObject({ kind: 'accepted' });
});
