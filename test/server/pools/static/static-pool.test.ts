import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeLiveRecord, encodeLiveRecord, recordKind } from '../../../../crypto/protocol/messages/live-record.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Enclave, StreamListener } from '../../../../server/pools/pool.ts';
import { createLocalPool } from '../../../../server/pools/static/local-pool.ts';
import { StaticPool } from '../../../../server/pools/static/static-pool.ts';
import { frameRecord, ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';

class Heard implements StreamListener {
  readonly records: Uint8Array[] = [];
  openings = 0;
  closings = 0;
  record(_enclave: Enclave, record: Uint8Array): void {
    this.records.push(record);
  }
  opened(): void {
    this.openings += 1;
  }
  closed(): void {
    this.closings += 1;
  }
  lost(): void {
    throw new Error('A static enclave is never lost for good.');
  }
}

const nonce = toBase64Url(randomBytes(32));
const evidenceRequest = { format: 1, nonce, model: 'default' } as const;

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 10 }).toBe(true);
}

describe('StaticPool', () => {
  let worker: ScriptedWorker;
  let pool: StaticPool;
  let heard: Heard;

  beforeEach(async () => {
    worker = await new ScriptedWorker().start();
    heard = new Heard();
    pool = new StaticPool([{ url: worker.url, token: worker.token, unreachable: 'enclave-unreachable' }]);
    pool.listen(heard);
  });
  afterEach(async () => {
    await pool.close();
    await worker.stop();
  });

  const enclave = async (): Promise<Enclave> => (await pool.choose({ accountId: 'a', model: 'm' }))[0]!;

  test('names an entry without its address', async () => {
    const { id } = await enclave();
    expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect((await pool.find(id))?.id).toBe(id);
    expect(await pool.find('another-entry-00')).toBeNull();
  });

  test('askEvidence: a worker that knows no format 2 is asked again without it', async () => {
    const wish = { ...evidenceRequest, statement: 2 } as const;
    expect((await (await enclave()).askAttestation(wish)).publicKeys).toHaveLength(1);
    expect(worker.questions.splice(0)).toEqual([wish]);
    worker.refuses = new Set(['statement']);
    expect((await (await enclave()).askAttestation(wish)).publicKeys).toHaveLength(1);
    expect(worker.questions.splice(0)).toEqual([wish, evidenceRequest]);
    // A caller that does not ask for it asks once, and a worker that refuses even that is away.
    worker.refuses = new Set(['statement', 'nonce']);
    await expect((await enclave()).askAttestation(evidenceRequest)).rejects.toMatchObject({
      code: 'enclave-unreachable',
    });
    expect(worker.questions.splice(0)).toEqual([evidenceRequest]);
    await expect((await enclave()).askAttestation(wish)).rejects.toMatchObject({ code: 'enclave-unreachable' });
  });

  test('asks for evidence, models and readiness', async () => {
    expect((await (await enclave()).askAttestation(evidenceRequest)).publicKeys).toHaveLength(1);
    expect(await pool.listModels()).toEqual(['test-model']);
    expect(await pool.isReady()).toBe(true);
    worker.state = 'draining';
    expect(await pool.isReady()).toBe(false);
  });

  test('hands a request on and hears its frames as they were sent, byte for byte', async () => {
    const { request, turnId } = sealedRequestFor({ model: 'test-model' });
    const accepted = await (await enclave()).startTurn(request);
    expect(accepted.turnId).toBe(toBase64Url(turnId));
    const transcript = worker.transcriptOf(accepted.turnId);
    worker.speak(transcript, 50);
    worker.close(transcript);
    await until(() => heard.records.length === 52);
    expect(Buffer.concat(heard.records).equals(worker.recordsOf(transcript))).toBe(true);
  });

  test.each(['unknown-key', 'request-expired', 'request-replayed', 'request-refused', 'gone'] as const)(
    'passes the refusal %s on',
    async (code) => {
      const { request } = sealedRequestFor({ model: 'test-model' });
      await expect((await enclave()).startTurn(request)).resolves.toBeDefined();
      worker.refusal = code;
      await expect((await enclave()).startTurn(request)).rejects.toMatchObject({ code });
    },
  );

  test('says nothing of a refusal that is the relay’s own affair', async () => {
    const { request } = sealedRequestFor({ model: 'test-model' });
    worker.refusal = 'bad-request';
    await expect((await enclave()).startTurn(request)).rejects.toMatchObject({ code: 'enclave-unreachable' });
    // A wrong token has its own code: nobody should wait for an enclave that will never answer.
    worker.refusal = 'not-signed-in';
    await expect((await enclave()).startTurn(request)).rejects.toMatchObject({ code: 'enclave-token-refused' });
  });

  test('opens its stream again after the connection broke, and says so', async () => {
    await until(() => heard.openings === 1);
    worker.cutConnections();
    await until(() => heard.openings === 2);
    expect(heard.closings).toBe(1);
    const { request } = sealedRequestFor({ model: 'test-model' });
    const accepted = await (await enclave()).startTurn(request);
    worker.speak(worker.transcriptOf(accepted.turnId), 1);
    await until(() => heard.records.length === 2);
  });

  test('fails with a fixed code while the enclave is away, and works when it is back', async () => {
    await until(() => heard.openings === 1);
    await worker.stop();
    await expect((await enclave()).askAttestation(evidenceRequest)).rejects.toMatchObject({
      code: 'enclave-unreachable',
    });
    await expect(pool.listModels()).rejects.toMatchObject({ code: 'enclave-unreachable' });
    expect(await pool.isReady()).toBe(false);
    await worker.start();
    await until(() => heard.openings === 2);
    await expect((await enclave()).askAttestation(evidenceRequest)).resolves.toBeDefined();
  });

  test('drops a stream that sends a length no record has, and opens another', async () => {
    await until(() => heard.openings === 1);
    worker.broadcast(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    await until(() => heard.openings === 2);
    expect(heard.records).toHaveLength(0);
  });

  test('keeps an account and model with one enclave, and spreads accounts', async () => {
    const addresses = [1, 2, 3].map((port) => ({
      url: `http://127.0.0.1:${port}`,
      token: 'token',
      unreachable: 'enclave-unreachable' as const,
    }));
    const many = new StaticPool(addresses);
    const shuffled = new StaticPool(addresses.toReversed());
    const first = async (which: StaticPool, accountId: string) =>
      (await which.choose({ accountId, model: 'm' }))[0]?.id;
    const counts = new Map<string | undefined, number>();
    for (let account = 0; account < 300; account++) {
      const id = await first(many, `account ${account}`);
      expect(await first(shuffled, `account ${account}`)).toBe(id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect([...counts.values()].every((count) => count > 60)).toBe(true);
    expect(counts.size).toBe(3);
    await many.close();
    await shuffled.close();
  });

  test('a local worker that does not answer is starting', async () => {
    const local = createLocalPool(worker.url, worker.token);
    expect((await local.listModels())[0]).toBe('test-model');
    await worker.stop();
    await expect(local.listModels()).rejects.toMatchObject({ code: 'enclave-starting' });
    await local.close();
  });

  test('ignores records that only a relay may send', async () => {
    const { request } = sealedRequestFor({ model: 'test-model' });
    const accepted = await (await enclave()).startTurn(request);
    const transcript = worker.transcriptOf(accepted.turnId);
    const frame = decodeLiveRecord(frameRecord(transcript, 0, randomBytes(272)));
    worker.broadcast(encodeLiveRecord({ ...frame, kind: 'newer' }));
    worker.speak(transcript, 1);
    await until(() => heard.records.length === 2);
    expect(heard.records.map(recordKind)).toEqual(['header', 'frame']);
  });
});
