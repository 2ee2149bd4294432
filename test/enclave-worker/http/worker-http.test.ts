import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attestation } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { workerStatusAnswer } from '../../../crypto/protocol/messages/worker-messages.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import * as v from 'valibot';
import { inProcessToken, type InProcessWorker, startInProcessWorker } from '../../parts/worker/in-process-worker.ts';
import { saying, ScriptedEngine } from '../../parts/worker/scripted-engine.ts';
import { WorkerClient } from '../../parts/users/with-keys/worker-client.ts';

let worker: InProcessWorker;
let client: WorkerClient;
beforeAll(async () => {
  worker = await startInProcessWorker(new ScriptedEngine(saying('A ', 'word.')));
  client = new WorkerClient(worker.url, inProcessToken);
});
afterAll(() => worker[Symbol.asyncDispose]());

const evidenceRequest = () => ({ format: 1, nonce: toBase64Url(randomBytes(32)), model: 'default' });

async function answerOf(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

describe("the worker's calls", () => {
  test('/status and /evidence answer as their schemas say', async () => {
    const status = v.parse(workerStatusAnswer, await (await client.call('GET', '/status')).json());
    expect(status).toEqual({
      format: 1,
      status: { state: 'ready', reason: 'chosen-by-setting', next: null },
      models: ['scripted'],
    });
    const evidence = v.parse(attestation, await (await client.call('POST', '/evidence', evidenceRequest())).json());
    expect(evidence.publicKeys.length).toBeGreaterThan(0);
    const verdict = await client.verify('scripted');
    expect(verdict.statement.model).toBe('scripted');
  });

  test('/evidence: a statement of format 2 comes to who asks for it, and of format 1 to everybody else', async () => {
    const plain = (await client.verify()).statement;
    expect(plain).not.toHaveProperty('accepts');
    const asked = (await client.verify('default', 2)).statement;
    const { nonce: _nonce, issuedAtMs: _issuedAtMs, ...rest } = asked;
    expect(rest).toMatchObject({ format: 2, accepts: [], contextTokens: null });
    expect({ ...rest, format: 1 }).toMatchObject({ keys: plain.keys, model: plain.model, engine: plain.engine });
    const call = client.call('POST', '/evidence', { ...evidenceRequest(), statement: 3 });
    expect(await answerOf(await call)).toEqual([400, { error: 'bad-request' }]);
  });

  test('/evidence: `fast` is named where the model is said to be fast, and nowhere else', async () => {
    await using fast = await startInProcessWorker(new ScriptedEngine(saying('A word.')), { isFast: true });
    expect((await new WorkerClient(fast.url, inProcessToken).verify('default', 2)).statement).toMatchObject({
      format: 2,
      accepts: ['fast'],
    });
  });

  test('every statement covers its own nonce, and the identity stays', async () => {
    const [first, second] = [await client.verify(), await client.verify()];
    expect(first.identityPublicKey).toEqual(second.identityPublicKey);
    expect(first.statement.nonce).not.toBe(second.statement.nonce);
  });

  test('evidence for a model that is not served is refused', async () => {
    expect(await answerOf(await client.call('POST', '/evidence', { ...evidenceRequest(), model: 'other' }))).toEqual([
      404,
      { error: 'not-found' },
    ]);
  });

  test.each(['/status', '/live', '/evidence', '/turns', '/watch', '/stop', '/nothing'])(
    '%s says nothing without the token, or with another',
    async (path) => {
      const tokens = ['', 'Bearer', `Bearer ${inProcessToken}x`, `Bearer ${inProcessToken.slice(0, -1)}`, 'Basic x'];
      for (const authorization of tokens) {
        for (const method of ['GET', 'POST']) {
          const response = await client.call(method, path, method === 'POST' ? {} : undefined, { authorization });
          expect(await answerOf(response)).toEqual([401, { error: 'not-signed-in' }]);
        }
      }
    },
  );

  test('unknown paths, methods, media types and bodies are refused by code', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const live = await client.live();
    const turn = { format: 1, streamId: live.streamId, request: (await client.seal('Once.')).message };
    const twice = (call: object) => JSON.stringify(call).replace('"format":1', '"format":1,"format":1');
    const cases: [string, Promise<Response>, number, string][] = [
      ['path', client.call('GET', '/nothing'), 404, 'not-found'],
      ['path of an object', client.call('GET', '/constructor'), 404, 'not-found'],
      ['method', client.call('GET', '/turns'), 405, 'method-not-allowed'],
      ['method of an object', client.call('DELETE', '/status'), 405, 'method-not-allowed'],
      ['media type', client.call('POST', '/evidence', evidenceRequest(), form), 415, 'wrong-media-type'],
      ['no JSON', client.call('POST', '/evidence', '{'), 400, 'bad-request'],
      ['a key twice', client.call('POST', '/evidence', twice(evidenceRequest())), 400, 'bad-request'],
      ['other fields', client.call('POST', '/evidence', { ...evidenceRequest(), more: 1 }), 400, 'bad-request'],
      ['nonce', client.call('POST', '/evidence', { ...evidenceRequest(), nonce: 'AAAA' }), 400, 'bad-request'],
      ['length', client.call('POST', '/evidence', `"${'x'.repeat(300_000)}"`), 413, 'too-large'],
      ['turn', client.call('POST', '/turns', {}), 400, 'bad-request'],
      ['turn with a key twice', client.call('POST', '/turns', twice(turn)), 400, 'bad-request'],
      ['stop', client.call('POST', '/stop', { format: 1, turnId: 'x', stopToken: 'x' }), 400, 'bad-request'],
    ];
    for (const [name, call, status, code] of cases) {
      expect([name, ...(await answerOf(await call))]).toEqual([name, status, { error: code }]);
    }
    expect((await client.call('POST', '/turns', turn)).status).toBe(202);
    live.close();
  });

  test('a stream that is not open here cannot be watched', async () => {
    const turns = [{ turnId: toBase64Url(randomBytes(16)), transcriptId: null, from: 0 }];
    const body = (streamId: string) => ({ format: 1, streamId, turns });
    expect(await answerOf(await client.call('POST', '/watch', body(toBase64Url(randomBytes(16)))))).toEqual([
      404,
      { error: 'not-found' },
    ]);
    const live = await client.live();
    expect((await client.call('POST', '/watch', body(live.streamId))).status).toBe(202);
    live.close();
  });

  test('stopping a turn that nobody knows answers like any other', async () => {
    const body = { format: 1, turnId: toBase64Url(randomBytes(16)), stopToken: toBase64Url(randomBytes(32)) };
    expect(await answerOf(await client.call('POST', '/stop', body))).toEqual([202, { format: 1 }]);
  });

  test('a request of 4 MiB is opened, and one above the limit is not read', async () => {
    const live = await client.live();
    const messages = Array.from({ length: 2 }, () => 'y'.repeat(1_900_000)).join('');
    const turn = await client.seal(messages.slice(0, 1_999_999));
    expect((await client.start(live, turn)).status).toBe(202);
    live.close();
    // The connection may be cut before the answer is read; what counts is that it was not taken.
    const status = await client.call('POST', '/turns', 'x'.repeat(23_000_000)).then(
      (response) => response.status,
      () => 413,
    );
    expect(status).toBe(413);
    expect((await client.call('GET', '/status')).status).toBe(200);
  });
});

describe("the worker's log", () => {
  test('holds no word, key, id or token of a turn (M42)', async () => {
    const live = await client.live();
    const secret = 'canary-word-4711';
    const turn = await client.seal(secret);
    await client.start(live, turn);
    await client.start(live, { ...turn, message: { ...turn.message, header: turn.message.header.slice(4) } });
    await client.call('POST', '/turns', `{"${secret}"`);
    await client.stop(turn);
    await live.untilClosed(turn);
    live.close();
    const log = worker.log.join('');
    expect(log).toContain('call-refused');
    const needles = [
      secret,
      Buffer.from(secret).toString('base64').slice(0, 20),
      inProcessToken,
      toBase64Url(turn.turnId),
      Buffer.from(turn.turnId).toString('hex'),
      toBase64Url(turn.turnKey.expose()),
      turn.message.header,
    ];
    expect(needles.filter((needle) => log.includes(needle))).toEqual([]);
    const fields = worker.log.map((line) => Object.keys(JSON.parse(line) as object));
    for (const names of fields) expect(names).toEqual(expect.arrayContaining(['event', 'level']));
  });
});
