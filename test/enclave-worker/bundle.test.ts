import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { releaseEntry } from '../../crypto/evidence/policy/policy.ts';
import { readRelease, releaseManifest } from '../../enclave-worker/build/release-manifest.ts';
import { buildWorker } from '../../enclave-worker/build.ts';
import { HardwareWorker } from '../parts/evidence/hardware-worker.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { readReply } from '../parts/users/with-keys/sealed-turn.ts';
import { WorkerClient } from '../parts/users/with-keys/worker-client.ts';

let folder: TemporaryFolder;
let text: string;

beforeAll(async () => {
  folder = await makeTemporaryFolder('bundle');
  await buildWorker(join(folder.path, 'dist'));
  text = readFileSync(join(folder.path, 'dist/worker.mjs'), 'utf8');
});
afterAll(() => folder.remove());

/** The sources in another place, whose path is longer and sorts otherwise, their packages behind a link. */
function copySources(name: string): string {
  const root = join(folder.path, name);
  mkdirSync(root, { recursive: true });
  for (const entry of ['enclave-worker', 'process', 'crypto', 'package.json', 'tsconfig.base.json', 'tsconfig.json']) {
    cpSync(resolve(entry), join(root, entry), {
      recursive: true,
      filter: (source) => source !== resolve('enclave-worker/dist'),
    });
  }
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  execFileSync(process.execPath, ['enclave-worker/build.ts'], { cwd: root, stdio: 'ignore' });
  return root;
}

describe('the bundled worker', () => {
  test('built in another folder, is the same byte for byte, and so is its manifest', () => {
    const root = copySources('zz/a folder with a longer name');
    for (const name of ['worker.mjs', 'release.json']) {
      const second = readFileSync(join(root, 'enclave-worker/dist', name));
      expect(second.equals(readFileSync(join(folder.path, 'dist', name))), name).toBe(true);
    }
    expect(text.length).toBeGreaterThan(300_000);
    expect(text).not.toContain(resolve('.'));
    expect(text).not.toContain(root);
  });

  test('the worker bundled from other sources is another file', () => {
    const root = join(folder.path, 'changed');
    copySources('changed');
    const file = join(root, 'enclave-worker/keys/replay-guard.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace('100_000', '100_001'));
    execFileSync(process.execPath, ['enclave-worker/build.ts'], { cwd: root, stdio: 'ignore' });
    expect(readRelease(join(root, 'enclave-worker/dist')).imageDigest).not.toBe(
      readRelease(join(folder.path, 'dist')).imageDigest,
    );
  });

  test('is one file that needs Node alone; the model engine stays outside', () => {
    const imported = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"'\n]+)["']/g)].map(
      ([, name]) => name ?? '',
    );
    const outside = imported.filter((name) => !name.startsWith('node:') && !builtinModules.includes(name));
    expect([...new Set(outside)]).toEqual(['node-llama-cpp']);
    expect(readdirSync(join(folder.path, 'dist')).toSorted()).toEqual(['release.json', 'worker.mjs']);
  });

  test('is the one that its manifest describes, and a policy can name', async () => {
    const manifest = v.parse(releaseManifest, JSON.parse(readFileSync(join(folder.path, 'dist/release.json'), 'utf8')));
    const digest = createHash('sha256').update(text).digest();
    expect(manifest).toMatchObject({
      imageDigest: digest.toString('base64url'),
      files: [{ path: 'worker.mjs', sha256: digest.toString('hex'), length: Buffer.byteLength(text) }],
      node: process.versions.node,
      commit: null,
    });
    const commit = 'c'.repeat(40);
    expect((await buildWorker(join(folder.path, 'named'), commit)).commit).toBe(commit);
    await expect(buildWorker(join(folder.path, 'named'), 'main')).rejects.toThrow('Invalid format');

    const measurement = 'ab'.repeat(48);
    execFileSync(process.execPath, ['enclave-worker/build.ts'], { stdio: 'ignore' });
    const print = (...rest: string[]) =>
      execFileSync(process.execPath, ['enclave-worker/print-release.ts', ...rest], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    const tdx = Array.from({ length: 5 }, () => measurement).join(',');
    const printed = print('--url', 'https://example.org/r', '--sev-snp', measurement, '--tdx', tdx).toString();
    expect(v.parse(releaseEntry, JSON.parse(printed))).toMatchObject({
      imageDigest: manifest.imageDigest,
      sevSnp: [measurement],
      tdx: [{ mrTd: measurement, rtMrs: [measurement, measurement, measurement, measurement] }],
    });
    expect(() => print('--url', 'https://example.org/r', '--sev-snp', 'no measurement')).toThrow('Command failed');
  });

  test('that was changed after it was built is not printed for a policy', () => {
    const changed = join(folder.path, 'tampered');
    cpSync(join(folder.path, 'dist'), changed, { recursive: true });
    expect(readRelease(changed).format).toBe(1);
    writeFileSync(join(changed, 'worker.mjs'), `${text}\n`);
    expect(() => readRelease(changed)).toThrow('not the one that its manifest describes');
  });

  test('starts from an empty folder and answers a turn', async () => {
    await using worker = await HardwareWorker.start(null);
    const client = new WorkerClient(worker.url, worker.token);
    const live = await client.live();
    const turn = await client.seal('Who are you?');
    expect((await client.start(live, turn)).status).toBe(202);
    await live.untilClosed(turn);
    const reply = readReply(turn, live.of(turn));
    expect(reply).toMatchObject({ isFinal: true, end: { outcome: 'complete', engine: 'rehearsal' } });
    expect(reply.text).toContain('Who are you?');
    live.close();
  });

  test.each(['sev-snp', 'tdx', 'modal'])('from its sources, EVIDENCE=%s is refused', async (kind) => {
    const registrar = { REGISTRAR_URL: 'https://registrar.example', MODAL_IDENTITY_TOKEN: 'a.b.c' };
    const child = spawn(process.execPath, ['enclave-worker/main.ts'], {
      env: {
        EVIDENCE: kind,
        ENGINE: 'rehearsal',
        ENCLAVE_TOKEN: 'thirty-two-letters-or-more-of-them',
        WORKER_PORT: '0',
        ...registrar,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const code = await new Promise((done) => child.once('exit', done));
    expect(code).toBe(1);
    expect(complaint).toMatch(/^EVIDENCE=\S+ is about the worker's one file: [^\n]+\.\n$/);
  });
});
