import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineChooser, type EngineSettings } from '../../../../enclave-worker/engines/auto.ts';
import { GgufEngine } from '../../../../enclave-worker/engines/gguf/gguf.ts';
import { combineDigests, digestWeights } from '../../../../enclave-worker/engines/weights/weights-digest.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { writeTinyGguf } from '../../../parts/worker/gguf/tiny-gguf.ts';
import { startUpstream } from '../../../parts/worker/upstream/upstream.ts';
import { collect } from '../../../parts/machine/collect.ts';

const never = new AbortController().signal;
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');
let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder('weights');
});
afterEach(() => folder.remove());

const model = { 'config.json': '{"a":1}', 'model-00001.safetensors': 'weights', 'adapter/adapter.safetensors': 'more' };

function write(files: Readonly<Record<string, string>>, at = folder.path): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(at, path, '..'), { recursive: true });
    writeFileSync(join(at, path), content);
  }
}

const measure = () => digestWeights({ kind: 'folder', path: folder.path }, never);

describe('the digest of a folder of weights', () => {
  test('is that of its list: paths in order, each with the hash of its file', async () => {
    write(model);
    const lines = ['adapter/adapter.safetensors', 'config.json', 'model-00001.safetensors'].map(
      (path) => `${path}\0${sha256(model[path as keyof typeof model])}\n`,
    );
    expect(await measure()).toBe(createHash('sha256').update(lines.join('')).digest('base64url'));
  });

  test('does not depend on the order in which files came, nor on what begins with a dot', async () => {
    write(Object.fromEntries(Object.entries(model).toReversed()));
    const digest = await measure();
    write({ '.cache/huggingface/x.metadata': 'today', '.gitattributes': 'x', 'adapter/.sotto-weights.json': '{}' });
    expect(await measure()).toBe(digest);
  });

  test('follows links, as model servers do', async () => {
    write(model);
    const digest = await measure();
    await using linked = await makeTemporaryFolder('weights-links');
    mkdirSync(join(linked.path, 'adapter'));
    for (const path of Object.keys(model)) symlinkSync(join(folder.path, path), join(linked.path, path));
    expect(await digestWeights({ kind: 'folder', path: linked.path }, never)).toBe(digest);
  });

  test.each([
    ['another byte', { 'config.json': '{"a":2}' }],
    ['a file more', { 'extra.json': '' }],
    ['a file of another name', { 'config.jso': '{"a":1}' }],
  ])('%s is another digest', async (_name, change) => {
    write(model);
    const digest = await measure();
    write(change);
    expect(await measure()).not.toBe(digest);
  });

  test('sorts by UTF-8, where UTF-16 has another order', () => {
    const [high, low] = ['\u{1f600}', '\uff5e'].map((path) => ({ path, sha256: sha256(path) }));
    const digest = combineDigests([high!, low!]);
    expect(combineDigests([low!, high!])).toBe(digest);
    const lines = [low!, high!].map((file) => `${file.path}\0${file.sha256}\n`).join('');
    expect(digest).toBe(createHash('sha256').update(lines).digest('base64url'));
  });

  test('there is none of an empty folder, a missing one or endless links', async () => {
    await expect(measure()).rejects.toThrow('model-failed');
    await expect(digestWeights({ kind: 'folder', path: join(folder.path, 'none') }, never)).rejects.toThrow(
      'model-failed',
    );
    write(model);
    await measure();
    symlinkSync(folder.path, join(folder.path, 'again'));
    await expect(measure()).rejects.toThrow('model-failed');
  });
});

describe('a manifest of weights', () => {
  const file = () => join(folder.path, '.sotto-weights.json');
  const listOf = (files: Readonly<Record<string, string>>) =>
    Object.entries(files).map(([path, content]) => ({ path, length: content.length, sha256: sha256(content) }));
  const writeManifest = (files: unknown, format = 'sotto-weights/1') =>
    writeFileSync(file(), JSON.stringify({ format, model: 'm', revision: 'r', files }));
  const read = () => digestWeights({ kind: 'manifest', path: file() }, never);

  test('gives the very digest that measuring gives', async () => {
    write(model);
    writeManifest(listOf(model));
    expect(await read()).toBe(await measure());
  });

  test.each([
    ['a file that is not there', [{ path: 'missing', length: 1, sha256: sha256('x') }]],
    ['a file of another length', [{ path: 'config.json', length: 6, sha256: sha256('{"a":1}') }]],
    ['a file outside', [{ path: '../config.json', length: 7, sha256: sha256('{"a":1}') }]],
    ['a file at the root', [{ path: '/etc/hostname', length: 7, sha256: sha256('x') }]],
    ['a hidden file', [{ path: '.sotto-weights.json', length: 7, sha256: sha256('x') }]],
    ['a file twice', [...listOf(model), ...listOf(model)]],
    ['a folder', [{ path: 'adapter', length: 4096, sha256: sha256('x') }]],
    ['no hash', [{ path: 'config.json', length: 7, sha256: 'x' }]],
    ['no files', []],
  ])('with %s gives none', async (_name, files) => {
    write(model);
    writeManifest(listOf(model));
    await read();
    writeManifest(files);
    await expect(read()).rejects.toThrow('model-failed');
  });

  test('a manifest of another format gives no digest', async () => {
    write(model);
    writeManifest(listOf(model), 'sotto-weights/2');
    await expect(read()).rejects.toThrow('model-failed');
  });
});

describe('the engine that serves them', () => {
  let chooser: EngineChooser | undefined;
  let said: string[] = [];
  afterEach(() => chooser?.close());
  const choose = async (server: NonNullable<EngineSettings['server']>, modelDigest: string | null = null) => {
    said = [];
    chooser = new EngineChooser({
      settings: { engine: 'openai', server, modelFile: null, modelDigest, dataFolder: folder.path },
      say: (line) => said.push(line),
    });
    await chooser.start();
    return chooser;
  };
  const settled = async ({ shelf }: EngineChooser) => {
    while (shelf.status.reason === 'model-loading') await new Promise((resolve) => setTimeout(resolve, 10));
    return shelf;
  };

  test('states the digest that was measured, and nothing before it is', async () => {
    write(model);
    await using upstream = await startUpstream(['served']);
    const weights = { kind: 'folder', path: folder.path } as const;
    const server = { baseUrl: upstream.baseUrl, apiKey: undefined, model: 'served', weights };
    const chosen = await choose(server, await measure());
    expect(chosen.shelf.find('served')).toBeUndefined();
    expect(chosen.shelf.status.state).toBe('loading');
    const shelf = await settled(chosen);
    expect(shelf.find('served')?.weightsDigest).toBe(await measure());
    expect(shelf.status).toMatchObject({ state: 'ready', reason: 'chosen-by-setting' });
  });

  test.each([
    ['others than MODEL_DIGEST says', true],
    ['that cannot be read', false],
  ])('weights %s are not served', async (_name, isThere) => {
    if (isThere) write(model);
    await using upstream = await startUpstream(['served']);
    const weights = { kind: 'folder', path: folder.path } as const;
    const server = { baseUrl: upstream.baseUrl, apiKey: undefined, model: 'served', weights };
    const shelf = await settled(await choose(server, createHash('sha256').digest('base64url')));
    expect(shelf.status).toMatchObject({ state: 'loading', reason: 'model-failed' });
    expect(shelf.find('served')).toBeUndefined();
    expect(said.join('\n')).toContain('nothing is answered with them');
    expect(upstream.requests.length).toBe(0);
  });

  test('a GGUF file of another digest is not loaded, and the right one is', async () => {
    const file = join(folder.path, 'Tiny.gguf');
    await writeTinyGguf(file);
    const digest = createHash('sha256').update(readFileSync(file)).digest('base64url');
    await expect(GgufEngine.load(file, never, createHash('sha256').digest('base64url'))).rejects.toThrow(
      'model-failed',
    );
    const engine = await GgufEngine.load(file, never, digest);
    expect(engine.weightsDigest).toBe(digest);
    await engine.close();
  });

  test('may listen on a socket of this machine', async () => {
    await using upstream = await startUpstream(['served']);
    upstream.answerWith({ tokens: ['Over ', 'a socket.'] });
    const path = join(folder.path, 'llm.sock');
    const door = createServer((socket) => {
      const onward = connect(Number(new URL(upstream.baseUrl).port), '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      for (const each of [socket, onward]) each.on('error', () => each.destroy());
    });
    await new Promise<void>((done) => door.listen(path, done));
    const { shelf } = await choose({ baseUrl: `unix:${path}`, apiKey: 'key-of-the-server', model: undefined });
    expect(shelf.current.model).toBe('served');
    const question = { messages: [{ role: 'user' as const, text: 'Hello' }], parameters: {}, cacheSalt: 'salt' };
    const events = await collect(shelf.current.answer(question, never));
    expect(events.map((event) => ('text' in event ? event.text : '')).join('')).toContain('Over a socket.');
    expect(upstream.requests[0]?.authorization).toBe('Bearer key-of-the-server');
    expect(said.join()).toContain(path);
    await chooser?.close();
    chooser = undefined;
    door.close();
  });
});
