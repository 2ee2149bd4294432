import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../parts/network/free-port.ts';
import { layOutRelayImage, relayDockerfile } from '../../parts/relay/relay-image.ts';
import { waitFor } from '../../parts/relay/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { buildClient } from '../../../client/build.ts';

/* No Docker here: what comes out of the Dockerfile's last stage is laid out by hand and started. */

let folder: TemporaryFolder;
let worker: ChildProcess;
const workerToken = 'a-token-of-more-than-thirty-two-characters';

beforeAll(async () => {
  await buildClient(() => {});
  folder = await makeTemporaryFolder('image');
  layOutRelayImage(folder.path, { hasClient: true });
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
    await waitFor(isHealthy, 120_000, () => `the relay did not become healthy: ${told}`);
    const [, check] = /CMD \["node", "-e", "(.+)"\]/.exec(relayDockerfile) ?? [];
    const checking = spawn(process.execPath, ['-e', check ?? ''], { env: { ...process.env, PORT: String(port) } });
    const code = await new Promise((done) => checking.once('exit', done));
    relay.kill('SIGKILL');
    expect(code).toBe(0);
  });
});
