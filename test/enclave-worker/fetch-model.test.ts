import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../parts/machine/python-environment.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

const weights = Buffer.from('GGUF, or so it says');
const digest = createHash('sha256').update(weights).digest('hex');
/** Its service of docker-compose.yml. */
const service =
  /^  fetch-cpu:\n(?:    .*\n)+/m.exec(readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8'))?.[0] ?? '';
const asked: string[] = [];
/** Below this path the server names a file's digest, as Hugging Face does. */
const namedPath = '/named/';
const server = createServer((request, response) => {
  asked.push(request.method ?? '');
  const isNamed = request.url?.startsWith(namedPath) === true;
  response.writeHead(200, { 'content-length': weights.length, ...(isNamed ? { 'x-linked-etag': `"${digest}"` } : {}) });
  response.end(request.method === 'HEAD' ? undefined : weights);
});
let origin = '';
let container: TemporaryFolder;

beforeAll(async () => {
  // docker-compose.yml mounts these, away from the package.json and the packages of this checkout.
  container = await makeTemporaryFolder('fetch-model');
  const built = join(projectRoot, 'enclave-worker/dist');
  for (const [, source = '', target = ''] of service.matchAll(/'\.\/([\w-]+):\/([\w/-]+):ro'/g)) {
    const filter = (path: string) => path !== built;
    cpSync(join(projectRoot, source), join(container.path, target), { recursive: true, filter });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await container.remove();
});

/** Runs it as a container would: Node and nothing else. */
function fetchModel(settings: Readonly<Record<string, string>>): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const script = join(container.path, /command: \[node, (.+)\]/.exec(service)?.[1] ?? '');
    const child = spawn(process.execPath, [script], { cwd: container.path, env: settings });
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString('utf8')));
    child.stderr.on('data', (part: Buffer) => (output += part.toString('utf8')));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
}

describe('fetch-model', () => {
  it('fetches once, checks the digest, and leaves a file that others can read', async () => {
    await using place = await makeTemporaryFolder('model');
    const folder = join(place.path, 'model');
    const settings = { GGUF_URL: `${origin}/a/tiny.gguf`, GGUF_SHA256: digest, MODEL_FOLDER: folder };
    expect(await fetchModel(settings)).toMatchObject({ status: 0, output: expect.stringContaining('here and whole') });
    const file = join(folder, 'model.gguf');
    expect(readFileSync(file)).toEqual(weights);
    expect(statSync(folder).mode & 0o005).toBe(0o005);
    expect(statSync(file).mode & 0o004).toBe(0o004);
    asked.length = 0;
    expect((await fetchModel(settings)).status).toBe(0);
    expect(asked).toEqual([]);
    // A file that was changed is fetched again.
    writeFileSync(file, 'another');
    expect((await fetchModel(settings)).status).toBe(0);
    expect(readFileSync(file)).toEqual(weights);
  });

  it('says the digest to pin where none was given', async () => {
    await using place = await makeTemporaryFolder('model');
    const result = await fetchModel({ GGUF_URL: `${origin}${namedPath}tiny.gguf`, MODEL_FOLDER: place.path });
    expect(result).toMatchObject({ status: 0, output: expect.stringContaining(`GGUF_SHA256=${digest}`) });
  });

  it('fetches nothing that nobody has named a digest of', async () => {
    await using place = await makeTemporaryFolder('model');
    const settings = { GGUF_URL: `${origin}/a/tiny.gguf`, MODEL_FOLDER: place.path };
    asked.length = 0;
    const refused = await fetchModel(settings);
    expect(refused).toMatchObject({ status: 1, output: expect.stringContaining('set GGUF_SHA256') });
    expect(asked).toEqual(['HEAD']);
    expect(existsSync(join(place.path, 'model.gguf'))).toBe(false);
    expect((await fetchModel({ ...settings, GGUF_SHA256: digest })).status).toBe(0);
  });

  it('refuses another file, and settings that are none', async () => {
    await using place = await makeTemporaryFolder('model');
    const right = { GGUF_URL: `${origin}/a/tiny.gguf`, GGUF_SHA256: digest, MODEL_FOLDER: place.path };
    for (const [wrong, sentence] of [
      [{ GGUF_SHA256: 'a'.repeat(64) }, 'another than GGUF_SHA256'],
      [{ GGUF_SHA256: 'A' }, 'GGUF_SHA256 must be'],
      [{ GGUF_URL: `${origin}/a/tiny.bin` }, 'GGUF_URL must be'],
      [{ GGUF_URL: '' }, 'GGUF_URL must be'],
      [{ MODEL_FOLDER: '' }, 'MODEL_FOLDER is not set'],
    ] as const) {
      const result = await fetchModel({ ...right, ...wrong });
      expect(result.status).toBe(1);
      expect(result.output).toContain(sentence);
    }
    expect(existsSync(join(place.path, 'model.gguf'))).toBe(false);
    expect((await fetchModel(right)).status).toBe(0);
  });
});
