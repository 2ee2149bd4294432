import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineChooser, type EngineSettings } from '../../../enclave-worker/engines/auto.ts';
import { findFreePort } from '../../parts/network/free-port.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { writeTinyGguf } from '../../parts/worker/gguf/tiny-gguf.ts';
import { startUpstream } from '../../parts/worker/upstream/upstream.ts';
import { type Answering, startAnswering } from '../../parts/worker/upstream/answering-server.ts';
import { startModelServer } from '../../parts/worker/upstream/model-server.ts';

let folder: TemporaryFolder;
let chooser: EngineChooser | undefined;
let said: string[];
beforeEach(async () => {
  folder = await makeTemporaryFolder('auto');
  said = [];
});
afterEach(async () => {
  await chooser?.close();
  await folder.remove();
});

async function choose(
  settings: Partial<EngineSettings>,
  source = { url: 'http://127.0.0.1:9/x.gguf', fileName: 'x.gguf', sha256: null as string | null },
): Promise<EngineChooser> {
  chooser = new EngineChooser({
    settings: { engine: 'auto', server: null, modelFile: null, dataFolder: folder.path, ...settings },
    say: (line) => said.push(line),
    source,
  });
  await chooser.start();
  return chooser;
}

const serverAt = (baseUrl: string, model?: string) => ({ baseUrl, apiKey: undefined, model });

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('EngineChooser', () => {
  test('takes the rehearsal engine when that is set', async () => {
    const { shelf } = await choose({ engine: 'rehearsal', server: serverAt('http://127.0.0.1:9/v1') });
    expect([shelf.current.model, shelf.status]).toEqual([
      'rehearsal',
      { state: 'ready', reason: 'chosen-by-setting', next: null },
    ]);
    expect(said.join()).toContain('ENGINE=rehearsal');
  });

  test('takes a model server that is given, and the first model of its list that answers questions', async () => {
    await using upstream = await startUpstream(['text-embedding-3-small', 'Qwen/Qwen3.5-9B', 'other']);
    const { shelf } = await choose({ server: serverAt(upstream.baseUrl) });
    expect([shelf.current.kind, shelf.current.model]).toEqual(['openai', 'Qwen/Qwen3.5-9B']);
    expect(shelf.status).toEqual({ state: 'ready', reason: 'server-given', next: null });
    expect(shelf.models).toEqual(['Qwen/Qwen3.5-9B', 'rehearsal']);
    expect(said.join()).toContain('Qwen/Qwen3.5-9B');
    expect(said.join()).toContain('It offers text-embedding-3-small, Qwen/Qwen3.5-9B, other.');
  });

  test.each<readonly [what: string, answer: Answering, reason: string, line: RegExp]>([
    [
      'loads',
      (_q, _b, response) => response.writeHead(503).end('{"error":{"message":"Loading model"}}'),
      'model-loading',
      /is loading its model; trying again/,
    ],
    [
      'wants a key',
      (_q, _b, response) => response.writeHead(401).end('{}'),
      'server-unreachable',
      /asks for a key \(status 401\): set LLM_API_KEY/,
    ],
    [
      'is a web page',
      (_q, _b, response) => response.end('<html>'),
      'server-unreachable',
      /has no OpenAI interface there/,
    ],
    [
      'has no model',
      (_q, _b, response) => response.end('{"data":[]}'),
      'server-unreachable',
      /has no model: load one there/,
    ],
    [
      'only embeds',
      (_q, _b, response) => response.end('{"data":[{"id":"bge-m3"}]}'),
      'server-unreachable',
      /no model that answers questions \(bge-m3\)/,
    ],
  ])('a server that %s is said to be that, once, and taken when it is ready', async (_what, answer, reason, line) => {
    let isReady = false;
    await using server = await startAnswering((request, body, response) => {
      if (isReady) response.end('{"data":[{"id":"/models/My Model"}]}');
      else answer(request, body, response);
    });
    const { shelf } = await choose({ server: serverAt(server.url) });
    expect([shelf.current.model, shelf.status.reason]).toEqual(['rehearsal', reason]);
    await until(() => said.length > 0);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(line);
    isReady = true;
    await until(() => shelf.current.kind === 'openai');
    expect(shelf.current.model).toBe('My-Model');
    expect(said).toHaveLength(2);
  });

  test('does not call a server ready whose model is named and still loads', async () => {
    await using server = await startAnswering((_request, _body, response) =>
      response.writeHead(503).end('{"error":"loading"}'),
    );
    const { shelf } = await choose({ server: serverAt(server.url, 'mine') });
    expect([shelf.current.model, shelf.status.state, shelf.status.reason]).toEqual([
      'mine',
      'loading',
      'model-loading',
    ]);
  });

  test('takes the name that is set, whatever the server lists', async () => {
    await using upstream = await startUpstream();
    const { shelf } = await choose({ engine: 'openai', server: serverAt(upstream.baseUrl, 'mine') });
    expect([shelf.current.model, shelf.status.reason]).toEqual(['mine', 'chosen-by-setting']);
  });

  test('rehearses until a server without a name answers, then switches and says so', async () => {
    const port = await findFreePort();
    const { shelf } = await choose({ server: serverAt(`http://127.0.0.1:${port}/v1`) });
    expect([shelf.current.model, shelf.status.reason, shelf.status.state]).toEqual([
      'rehearsal',
      'server-unreachable',
      'ready',
    ]);
    await using upstream = await startUpstreamAt(port);
    await until(() => shelf.current.kind === 'openai');
    expect(shelf.status).toEqual({ state: 'ready', reason: 'server-given', next: null });
    expect(shelf.find('rehearsal')?.model).toBe('rehearsal');
    expect(said.at(-1)).toContain(upstream.model);
  });

  test('serves a server that has a name as "loading" until it answers: nobody gets a rehearsal in its place', async () => {
    const port = await findFreePort();
    const { shelf } = await choose({ server: serverAt(`http://127.0.0.1:${port}/v1`, 'mine') });
    expect([shelf.current.model, shelf.status.state]).toEqual(['mine', 'loading']);
    await using _upstream = await startUpstreamAt(port);
    await until(() => shelf.status.state === 'ready');
    expect(shelf.current.model).toBe('mine');
  });

  test('notices a server that goes away, and that it is back', async () => {
    const port = await findFreePort();
    const upstream = await startUpstreamAt(port);
    const { shelf } = await choose({ server: serverAt(`http://127.0.0.1:${port}/v1`) });
    const ask = async () => {
      const question = { messages: [{ role: 'user' as const, text: 'x' }], parameters: {}, cacheSalt: 'A'.repeat(43) };
      for await (const _event of shelf.current.answer(question, new AbortController().signal)) break;
    };
    await ask();
    await upstream[Symbol.asyncDispose]();
    await expect(ask()).rejects.toThrow('model-unreachable');
    expect([shelf.status.state, shelf.status.reason]).toEqual(['loading', 'server-unreachable']);
    await using _again = await startUpstreamAt(port);
    await until(() => shelf.status.state === 'ready');
    await ask();
  });

  test('loads a model file that is there, and rehearses meanwhile', async () => {
    const modelFile = join(folder.path, 'Mine.gguf');
    await writeTinyGguf(modelFile);
    const { shelf } = await choose({ modelFile });
    expect([shelf.current.model, shelf.status.state]).toEqual(['rehearsal', 'ready']);
    await until(() => shelf.current.kind === 'gguf');
    expect(shelf.status).toEqual({ state: 'ready', reason: 'model-file-here', next: null });
    expect(shelf.models).toEqual(['Mine', 'rehearsal']);
  });

  test('rehearses for good when the file is no model, and says so', async () => {
    const modelFile = join(folder.path, 'Broken.gguf');
    await writeTinyGguf(modelFile);
    const bytes = await readFile(modelFile);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(modelFile, bytes.subarray(0, 5000));
    const { shelf } = await choose({ engine: 'gguf', modelFile });
    await until(() => shelf.status.reason === 'model-failed');
    expect([shelf.current.model, shelf.status.next]).toEqual(['rehearsal', null]);
    expect(said.at(-1)).toContain('could not be loaded');
  });

  test('does not wait for a download, shows its progress, and switches when the model is there', async () => {
    const made = join(folder.path, 'made.gguf');
    await writeTinyGguf(made);
    await using server = await startModelServer(await readFile(made));
    const { shelf } = await choose({}, { ...server.source, sha256: null });
    expect([shelf.current.model, shelf.status.reason]).toEqual(['rehearsal', 'model-downloading']);
    expect(shelf.status.next).toMatchObject({ model: 'Tiny-Q4' });
    await until(() => shelf.current.kind === 'gguf');
    expect([shelf.current.model, shelf.status]).toEqual([
      'Tiny-Q4',
      { state: 'ready', reason: 'model-file-here', next: null },
    ]);
    expect(said.join('\n')).toMatch(/Tiny-Q4 is 100 % downloaded/);
    // The next start finds it.
    await chooser?.close();
    const again = await choose({}, { ...server.source, sha256: null });
    await until(() => again.shelf.current.kind === 'gguf');
    expect(server.downloads).toEqual(['GET']);
  });

  test('goes on rehearsing when there is no way to the model, says why, and stops at once when told', async () => {
    const { shelf } = await choose(
      {},
      { url: `http://127.0.0.1:${await findFreePort()}/x.gguf`, fileName: 'x.gguf', sha256: null },
    );
    await until(() => shelf.status.reason === 'download-failed');
    expect([shelf.current.model, shelf.status.state, shelf.status.next]).toEqual(['rehearsal', 'ready', null]);
    expect(said.at(-1)).toMatch(/no way to the download server; trying again in 30 s/);
  });
});

/** The same peer on a port that is known before it starts. */
async function startUpstreamAt(port: number): Promise<AsyncDisposable & { model: string }> {
  const upstream = await startUpstream(['test-model']);
  const { createServer, connect } = await import('node:net');
  const target = Number(new URL(upstream.baseUrl).port);
  const sockets = new Set<{ destroy(): void }>();
  const gate = createServer((incoming) => {
    const outgoing = connect(target, '127.0.0.1');
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => gate.listen(port, '127.0.0.1', resolve));
  return {
    model: 'test-model',
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => gate.close(resolve));
      await upstream.stop();
    },
  };
}
