import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../parts/free-port.ts';
import { waitFor } from '../parts/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/temporary-folder.ts';
import { buildClient } from '../../client/build.ts';

/*
 * No Docker here: the test does by hand what the Dockerfile's last stage does, from its own lines, and starts what
 * comes out. The base image and the package installation are not covered.
 */

const dockerfile = readFileSync(resolve('server/Dockerfile'), 'utf8');
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
const { dependencies } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

let folder: TemporaryFolder;
let worker: ChildProcess;
const workerToken = 'a-token-of-more-than-thirty-two-characters';

beforeAll(async () => {
  await buildClient(() => {});
  folder = await makeTemporaryFolder('image');
  for (const [, names, target] of lastStage.matchAll(/^COPY (?:--from=client \/build\/)?(?!--)(.+) (\S+)$/gm)) {
    for (const name of (names ?? '').split(' ')) {
      const to = target === './' ? name : (target ?? '');
      cpSync(resolve(name), join(folder.path, to), { recursive: true });
    }
  }
  const removed = new Set(
    [...dockerfile.matchAll(/node_modules\/(@?[\w-]+(?:\/[\w-]+)?)/g)].map(([, name]) => name ?? ''),
  );
  for (const name of Object.keys(dependencies)) {
    if (removed.has(name) || removed.has(name.split('/')[0] ?? '')) continue;
    const link = join(folder.path, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link);
  }
});
afterAll(async () => {
  worker.kill('SIGKILL');
  await folder.remove();
});

describe('the relay image', () => {
  it('has the relay and the client, and nothing that opens ciphertext', () => {
    expect(existsSync(join(folder.path, 'client/dist/index.html'))).toBe(true);
    expect(existsSync(join(folder.path, 'server/main.ts'))).toBe(true);
    for (const name of ['libsodium-wrappers', 'hpke', '@panva/hpke-noble', 'node-llama-cpp']) {
      expect(existsSync(join(folder.path, 'node_modules', name)), name).toBe(false);
    }
    expect(existsSync(join(folder.path, 'node_modules/hono'))).toBe(true);
  });

  it('serves with a worker elsewhere, and its health check answers', async () => {
    const workerPort = await findFreePort();
    const port = await findFreePort();
    worker = spawn(process.execPath, [resolve('enclave-worker/main.ts')], {
      env: {
        ...process.env,
        ENGINE: 'rehearsal',
        ENCLAVE_TOKEN: workerToken,
        WORKER_PORT: String(workerPort),
        DATA_DIR: join(folder.path, 'worker-data'),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const relay = spawn(process.execPath, ['server/main.ts'], {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        DATA_DIR: join(folder.path, 'data'),
        ENCLAVE_POOL: 'static',
        ENCLAVE_URLS: `http://127.0.0.1:${workerPort}`,
        ENCLAVE_TOKEN: workerToken,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    let told = 'nothing';
    const isHealthy = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
      told = (await answer?.text()) ?? told;
      return answer?.ok === true;
    };
    await waitFor(isHealthy, 30_000, () => `the relay did not become healthy: ${told}`);
    const [, check] = /CMD \["node", "-e", "(.+)"\]/.exec(dockerfile) ?? [];
    const checking = spawn(process.execPath, ['-e', check ?? ''], { env: { ...process.env, PORT: String(port) } });
    const code = await new Promise((done) => checking.once('exit', done));
    relay.kill('SIGKILL');
    expect(code).toBe(0);
  });
});
