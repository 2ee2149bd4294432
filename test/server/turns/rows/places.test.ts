import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { attemptTurn, startTurn } from '../../../../server/turns/start-turn.ts';
import { parseBatch } from '../../../../server/vault/parse-batch.ts';
import type { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import {
  openTurnScene,
  stateOf,
  type TurnProcess,
  turnStart,
  until,
} from '../../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import { makeAccount, newId, type VaultDevice, write } from '../../../parts/users/without-keys/vault-device.ts';

/* How many places at enclaves the running turns of one account may have: eight. */

const places = 8;
const tooMany = { code: 'too-many-requests', retryAfterSeconds: 10 };

describe.each(databaseKinds)('requests under way on %s', (kind) => {
  let database: TestDatabase;
  let worker: ScriptedWorker;
  let relay: TurnProcess;
  let device: VaultDevice;
  let enclaveId: string;

  beforeEach(async () => {
    database = await makeDatabase(kind);
    ({ worker, relay, device, enclaveId } = await openTurnScene(database));
  });
  afterEach(async () => {
    await relay.service.close();
    await worker.stop();
    await database.close();
    await database.remove();
  });

  const start = (body = turnStart(device, enclaveId, { batch: null }), account = device) =>
    startTurn(relay.service, account.accountId, body);

  /** The same question, sealed anew. */
  function attempt({ nonce, turnId }: TurnStart) {
    const { request } = sealedRequestFor({ model: 'test-model', turnId: fromBase64Url(turnId) });
    return attemptTurn(relay.service, device.accountId, fromBase64Url(turnId), {
      format: 1,
      enclaveId,
      nonce,
      request,
    });
  }

  async function fill(count: number): Promise<TurnStart[]> {
    const begun = Array.from({ length: count }, () => turnStart(device, enclaveId, { batch: null }));
    for (const body of begun) expect(await start(body)).toMatchObject({ kind: 'accepted' });
    return begun;
  }

  /** Headers come on another connection than the answer that the request was taken. */
  const headersStored = (count: number) =>
    until(async () => {
      await relay.service.journal.flush();
      return (await database.db.selectFrom('transcripts').select('turn_id').execute()).length === count;
    });

  test('a ninth turn is refused with nothing stored, and taken when one of the eight is over', async () => {
    const [first] = await fill(places);
    const item = write(newId());
    const ninth = turnStart(device, enclaveId, { batch: device.batch({ items: [item] }) });
    const before = worker.starts.length;
    await expect(start(ninth)).rejects.toMatchObject(tooMany);
    expect(worker.starts).toHaveLength(before);
    expect(await stateOf(database, ninth.turnId)).toBeUndefined();
    expect(await database.db.selectFrom('items').select('id').execute()).toEqual([]);
    // The same call again for one that runs takes no place.
    expect(await start(first)).toMatchObject({ kind: 'accepted' });
    // Everybody else has places of their own.
    const other = await makeAccount(database);
    expect(await start(turnStart(other, enclaveId), other)).toMatchObject({ kind: 'accepted' });

    worker.close(worker.transcriptOf(first!.turnId));
    await until(async () => (await stateOf(database, first!.turnId)) === 'ended');
    expect(await start(ninth)).toEqual({ kind: 'accepted', state: 'running' });
    const [stored] = await database.db.selectFrom('items').select('id').execute();
    expect(toBase64Url(stored!.id)).toBe(item.id);
  });

  test('sealed anew, a question takes one place more', async () => {
    const [first] = await fill(1);
    for (let sealings = 1; sealings < places; sealings++) {
      expect(await attempt(first!)).toMatchObject({ kind: 'accepted' });
      await headersStored(sealings + 1);
    }
    await expect(attempt(first!)).rejects.toMatchObject(tooMany);
    await expect(start()).rejects.toMatchObject(tooMany);
    // A reply that is over gives its place back.
    worker.close(worker.transcripts[0]!, 'lost');
    await until(async () => {
      await relay.service.journal.flush();
      const closed = await database.db
        .selectFrom('transcripts')
        .select('closed')
        .where('closed', 'is not', null)
        .execute();
      return closed.length === 1;
    });
    expect(await start()).toMatchObject({ kind: 'accepted' });
    await expect(start()).rejects.toMatchObject(tooMany);
  });

  test('a question that the enclave refuses has one place, however often it comes again', async () => {
    worker.refusal = 'enclave-busy';
    const asked = turnStart(device, enclaveId, { batch: null });
    await expect(start(asked)).rejects.toMatchObject({ code: 'enclave-busy' });
    for (let again = 2; again < places; again++) {
      await expect(attempt(asked)).rejects.toMatchObject({ code: 'enclave-busy' });
    }
    worker.refusal = null;
    expect(await attempt(asked)).toEqual({ kind: 'accepted', state: 'running' });
    expect(worker.transcripts).toHaveLength(1);
    // All other places are free, and no more than these.
    await headersStored(1);
    await fill(places - 1);
    await expect(start()).rejects.toMatchObject(tooMany);
    await expect(attempt(asked)).rejects.toMatchObject(tooMany);
  });

  test('while the enclave starts, each question has one place and keeps coming again from it', async () => {
    worker.refusal = 'enclave-starting';
    const starting = { code: 'enclave-starting' };
    const asked = Array.from({ length: places }, () => turnStart(device, enclaveId, { batch: null }));
    await expect(start(asked[0])).rejects.toMatchObject(starting);
    for (let again = 0; again < places + 1; again++) await expect(attempt(asked[0]!)).rejects.toMatchObject(starting);
    for (const body of asked.slice(1)) await expect(start(body)).rejects.toMatchObject(starting);
    // Full, and none of the eight is refused for its own place: neither sealed anew nor as it was.
    await expect(start()).rejects.toMatchObject(tooMany);
    for (const body of asked) await expect(attempt(body)).rejects.toMatchObject(starting);
    for (const body of asked.slice(1)) await expect(start(body)).rejects.toMatchObject(starting);
    worker.refusal = null;
    for (const body of asked) expect(await attempt(body)).toMatchObject({ kind: 'accepted' });
    await headersStored(places);
    await expect(attempt(asked[0]!)).rejects.toMatchObject(tooMany);
    expect(worker.transcripts).toHaveLength(places);
  });

  test('a turn that was given up has no place, and needs one to go on', async () => {
    worker.refusal = 'unknown-key';
    const given = turnStart(device, enclaveId, { batch: null });
    expect(await start(given)).toMatchObject({ kind: 'changed' });
    worker.refusal = null;
    const [first] = await fill(places);
    await expect(start(given)).rejects.toMatchObject(tooMany);
    await expect(attempt(given)).rejects.toMatchObject(tooMany);
    expect(await stateOf(database, given.turnId)).toBe('lost');
    worker.close(worker.transcriptOf(first!.turnId));
    await until(async () => (await stateOf(database, first!.turnId)) === 'ended');
    expect(await attempt(given)).toEqual({ kind: 'accepted', state: 'running' });
  });

  test('a pool that cannot say where the enclave is: nothing is stored, and no place is taken', async () => {
    const find = vi.spyOn(relay.service.pool, 'find');
    const asked = turnStart(device, enclaveId, { batch: device.batch({ items: [write(newId())] }) });
    const itemCount = async () => (await database.db.selectFrom('items').select('id').execute()).length;
    find.mockRejectedValueOnce(new Error('no answer'));
    await expect(start(asked)).rejects.toThrow('no answer');
    expect([await stateOf(database, asked.turnId), await itemCount()]).toEqual([undefined, 0]);
    // The same call again.
    expect(await start(asked)).toEqual({ kind: 'accepted', state: 'running' });
    expect([await stateOf(database, asked.turnId), await itemCount()]).toEqual(['running', 1]);
    const attempts = async () => (await database.db.selectFrom('turns').select('attempts').execute())[0]?.attempts;
    find.mockRejectedValueOnce(new Error('no answer'));
    await expect(attempt(asked)).rejects.toThrow('no answer');
    expect(await attempts()).toBe(1);
    expect(await attempt(asked)).toMatchObject({ kind: 'accepted' });
    expect(await attempts()).toBe(2);
  });

  test('a turn that is deleted while it runs has no place any more, though its enclave goes on', async () => {
    const [first] = await fill(places);
    await headersStored(places);
    await expect(start()).rejects.toMatchObject(tooMany);
    const batch = device.batch({ finishTurns: [first!.turnId] });
    await device.send(batch);
    relay.service.stored(device.accountId, await parseBatch(batch));
    expect(await start()).toMatchObject({ kind: 'accepted' });
    expect(worker.stops).toEqual([]);
    expect(worker.transcripts.filter(({ closed }) => closed === null)).toHaveLength(places + 1);
    await expect(start()).rejects.toMatchObject(tooMany);
  });

  test('many calls at once: eight are taken', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => start()));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(places);
    expect(worker.starts).toHaveLength(places);
  });
});
