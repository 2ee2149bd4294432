import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startAnswering } from '../parts/worker/upstream/answering-server.ts';
import { startInProcessWorker } from '../parts/worker/in-process-worker.ts';
import { ScriptedEngine, saying } from '../parts/worker/scripted-engine.ts';
import { readReply } from '../parts/users/with-keys/sealed-turn.ts';
import { WorkerClient } from '../parts/users/with-keys/worker-client.ts';
import { startWorkerProcess, workerToken } from '../parts/worker/worker-process.ts';

const mainFile = join(import.meta.dirname, '../../enclave-worker/main.ts');

/** The worker alone, without a launcher. */
function startAlone(environment: NodeJS.ProcessEnv, options: readonly string[] = []) {
  const child = spawn(process.execPath, [...options, mainFile], {
    env: { PATH: process.env['PATH'], ENGINE: 'rehearsal', WORKER_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString('utf8')));
  return { child, output, ended: once(child, 'exit') as Promise<[number | null]> };
}

describe.concurrent('the worker as a process', () => {
  test('says that it is ready and with which model, and answers a turn', async () => {
    await using worker = await startWorkerProcess();
    const client = new WorkerClient(worker.url, workerToken);
    const live = await client.live();
    const turn = await client.seal('Who are you?');
    await client.start(live, turn);
    await live.untilClosed(turn);
    const reply = readReply(turn, live.of(turn));
    expect(reply.text).toMatch(/^\*\*This is a rehearsal/);
    expect(reply.text).toContain('Who are you?');
    expect(reply).toMatchObject({
      isFinal: true,
      end: { outcome: 'complete', model: 'rehearsal', engine: 'rehearsal' },
    });
    expect(worker.statuses.join('\n')).toContain('rehearsal');
    expect(worker.output()).not.toContain('Who are you?');
    live.close();
  });

  test('prints one line for what its model server refuses, with status and code and no word of anybody', async () => {
    await using server = await startAnswering((request, _body, response) => {
      if (request.url === '/v1/models') return void response.end('{"data":[{"id":"m"}]}');
      response.writeHead(401).end('{"error":{"code":"invalid_api_key","message":"words of a person"}}');
    });
    await using worker = await startWorkerProcess({ ENGINE: 'openai', LLM_BASE_URL: server.url });
    const client = new WorkerClient(worker.url, workerToken);
    const live = await client.live();
    for (const question of ['words of a person', 'more words of a person']) {
      const turn = await client.seal(question, { model: 'm' });
      await client.start(live, turn);
      await live.untilClosed(turn);
      const reply = readReply(turn, live.of(turn));
      expect(reply.end).toMatchObject({ outcome: 'error', code: 'model-refused' });
      expect(reply.notes).toEqual([{ kind: 'cause', cause: 'key-refused' }]);
    }
    const lines = worker
      .output()
      .split('\n')
      .filter((line) => line.includes('model-server-problem'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      event: 'model-server-problem',
      reason: 'key-refused',
      status: 401,
      code: 'invalid_api_key',
      unsaid: 0,
    });
    expect(worker.output()).not.toContain('words of a person');
    live.close();
  });

  test.each(['throw error', 'Promise.reject(error)'])(
    'a defect (%s) ends it, and nothing of what it was about is printed',
    async (defect) => {
      const error = 'Object.assign(new SyntaxError("words of a person"), { cause: "a token" })';
      const script = `setTimeout(() => { const error = ${error}; ${defect}; }, 2_500)`;
      const importing = `data:text/javascript,${encodeURIComponent(script)}`;
      const { output, ended } = startAlone({ ENCLAVE_TOKEN: workerToken }, ['--import', importing]);
      expect(await ended).toEqual([1, null]);
      expect(output.out).toContain('"event":"internal-error","kind":"SyntaxError"');
      expect(output.out + output.err).not.toMatch(/words of a person|a token/);
    },
  );

  test('ends in order on the word of its launcher: what was said counts as stopped, not as cut off', async () => {
    const worker = await startWorkerProcess();
    const client = new WorkerClient(worker.url, workerToken);
    const live = await client.live();
    const turn = await client.seal('A long answer, please');
    await client.start(live, turn);
    await live.until(() => live.of(turn).length > 8);
    expect(await worker.stop()).toBe(0);
    await live.until(() => live.hasEnded).catch(() => {});
    const reply = readReply(turn, live.of(turn));
    expect(reply).toMatchObject({ isFinal: false, end: { outcome: 'stopped' } });
    expect(reply.text.length).toBeGreaterThan(50);
  });

  test('lets answers end that have the time for it, and takes no new ones', async () => {
    const worker = await startWorkerProcess({ DRAIN_SECONDS: '60' });
    const client = new WorkerClient(worker.url, workerToken);
    const live = await client.live();
    const [turn, late] = [await client.seal('Who are you?'), await client.seal('And you?')];
    await client.start(live, turn);
    await live.until(() => live.of(turn).length > 1);
    const stopped = worker.stop();
    await live.until(() => live.of(turn).length > 4);
    expect((await client.start(live, late)).status).toBe(503);
    expect(await stopped).toBe(0);
    expect(readReply(turn, live.of(turn))).toMatchObject({ end: { outcome: 'complete' } });
  });

  test('ignores signals while its launcher lives, and ends when the launcher is gone', async () => {
    const worker = await startWorkerProcess();
    worker.child.kill('SIGINT');
    worker.child.kill('SIGTERM');
    const client = new WorkerClient(worker.url, workerToken);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await client.call('GET', '/status')).status).toBe(200);
    const ended = once(worker.child, 'exit') as Promise<[number | null]>;
    worker.child.disconnect();
    expect((await ended)[0]).toBe(0);
  });

  test('alone, ends on a signal', async () => {
    const { child, output, ended } = startAlone({ ENCLAVE_TOKEN: workerToken });
    while (!output.out.includes('"listening"')) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(output.out).toContain('"stopped"');
  });

  test.each([
    ['no token', {}, /^ENCLAVE_TOKEN is not set: .*\.\n$/],
    [
      'a wrong engine',
      { ENCLAVE_TOKEN: workerToken, ENGINE: 'gpt' },
      /^ENGINE must be one of auto, openai, gguf, rehearsal\.\n$/,
    ],
    [
      'a name that is nearly right',
      { ENCLAVE_TOKEN: workerToken, LLM_BASEURL: 'x' },
      /^There is no setting LLM_BASEURL; did you mean LLM_BASE_URL\?\n$/,
    ],
  ])('with %s says one sentence and ends with 1', async (_name, environment, sentence) => {
    const { output, ended } = startAlone(environment);
    expect((await ended)[0]).toBe(1);
    expect(output.err).toMatch(sentence);
    expect(output.out).toBe('');
  });

  test('tells its launcher why it does not start', async () => {
    await expect(startWorkerProcess({ ENGINE: 'openai' })).rejects.toThrow(/^1: ENGINE=openai needs LLM_BASE_URL/);
  });

  test('says which port is in use', async () => {
    await using other = await startInProcessWorker(new ScriptedEngine(saying('x')));
    const port = new URL(other.url).port;
    await expect(startWorkerProcess({ WORKER_PORT: port })).rejects.toThrow(`Port ${port} is in use`);
  });
});
