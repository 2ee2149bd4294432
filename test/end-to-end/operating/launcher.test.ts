import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../parts/network/free-port.ts';
import { copyProject } from '../../parts/machine/project-copy.ts';
import { startSotto } from '../../parts/relay/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const folders: TemporaryFolder[] = [];
async function newFolder(): Promise<string> {
  const folder = await makeTemporaryFolder('launcher');
  folders.push(folder);
  return folder.path;
}
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => folder.remove()));
});

/** Runs the launcher until it ends by itself. */
async function startAndFail(environment: Record<string, string>): Promise<{ code: number; complaint: string }> {
  const launcher = spawn(process.execPath, [resolve('server/launcher.ts')], {
    env: {
      ...process.env,
      ENGINE: 'rehearsal',
      PORT: String(await findFreePort()),
      DATA_DIR: await newFolder(),
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  launcher.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const [code] = (await once(launcher, 'close')) as [number];
  return { code, complaint: complaint.trim() };
}

/** Bundling lasts until progress was said, however fast this machine is. */
function lengthenBuild(folder: string): void {
  const path = join(folder, 'client/vite.config.ts');
  const plugins = 'plugins: [';
  const config = readFileSync(path, 'utf8');
  expect(config).toContain(plugins);
  const slow = `
function waitForProgress(): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, 30_000).unref();
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text) => {
      if (String(text).includes('so far')) done();
      return write(text);
    };
  });
}
`;
  const changed = config.replace(plugins, `${plugins}{ name: 'slow', buildStart: waitForProgress }, `);
  writeFileSync(path, changed + slow);
}

describe('npm start', () => {
  it('runs, serves, and stops on one Ctrl-C with exit code 0', async () => {
    const sotto = await startSotto();
    const answer = await fetch(sotto.url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(sotto.output()).toContain(`Sotto is at ${sotto.url}`);
    expect(await sotto.stop()).toBe(0);
    await expect(fetch(sotto.url)).rejects.toThrow('fetch failed');
  });

  it('says what it does, with progress while a build goes on; one Ctrl-C at its terminal is one ordered stop', async () => {
    const folder = await newFolder();
    copyProject(folder);
    lengthenBuild(folder);
    const sotto = await startSotto({
      folder,
      // A shell that puts the program in its own place: npm then hands the Ctrl-C on to a launcher that has it already.
      command: ['npm', 'start', '--script-shell=bash'],
      environment: { LOG_LEVEL: 'info' },
    });
    const said = sotto.output();
    const steps = [
      /^worker: starting …$/m,
      /^worker: Model: rehearsal/m,
      /^client: building \S+, build [0-9a-f]{12} …$/m,
      /^client: bundling, \d+ s so far …$/m,
      /^client: bundled \d+ files in \S+ s; compressing …$/m,
      /^client: built in \S+ s, \d+ KB compressed in all$/m,
      /^relay: starting …$/m,
      /^Sotto is at http:\/\/localhost:\d+/m,
    ];
    const places = steps.map((step) => said.search(step));
    expect(places, said).not.toContain(-1);
    expect(places).toEqual(places.toSorted((one, other) => one - other));

    expect(sotto.processes().filter(({ command }) => /launcher|main\.ts/.test(command))).toHaveLength(3);
    const askedAtMs = performance.now();
    expect(await sotto.stop()).toBe(0);
    // Ten seconds are promised; the rest is for a machine that has other work.
    expect(performance.now() - askedAtMs).toBeLessThan(20_000);
    expect(sotto.processes()).toEqual([]);
    const stopped = sotto.output().slice(said.length);
    expect(stopped.match(/^Stopping …$/gm)).toHaveLength(1);
    const relayStopped = stopped.search(/"info","event":"stopped"/);
    const workerStopped = stopped.search(/"part":"worker","event":"stopped"/);
    expect(relayStopped, stopped).toBeGreaterThan(0);
    expect(workerStopped, stopped).toBeGreaterThan(relayStopped);
  });

  it('starts a killed relay again on the same port with the same worker', async () => {
    const sotto = await startSotto();
    const worker = sotto.childPid('enclave-worker/main.ts');
    await sotto.killRelay();
    await sotto.healthy();
    expect((await fetch(`${sotto.url}/livez`)).status).toBe(200);
    expect(sotto.childPid('enclave-worker/main.ts')).toBe(worker);
    await sotto.stop();
  });

  it('a second process on the same data folder is refused, and the first goes on', async () => {
    const first = await startSotto();
    const { code, complaint } = await startAndFail({ DATA_DIR: first.dataFolder });
    expect(code).toBe(1);
    expect(complaint.split('\n')).toHaveLength(1);
    expect(complaint).toMatch(/data folder|another process|already/i);
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
    await first.stop();
  });

  it('a port in use is one clear sentence and exit code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, complaint } = await startAndFail({ PORT: String(port) });
    server.close();
    expect(code).toBe(1);
    expect(complaint).toBe(
      `Port ${port} is in use: stop the program that has it, or choose another port with PORT=${port + 1}.`,
    );
  });

  it('an unwritable data folder is one clear sentence and exit code 1', async () => {
    const file = join(await newFolder(), 'a-file');
    writeFileSync(file, '');
    const { code, complaint } = await startAndFail({ DATA_DIR: join(file, 'data') });
    expect(code).toBe(1);
    expect(complaint).toBe(`The data folder ${join(file, 'data')} cannot be written: choose another with DATA_DIR.`);
  });

  it.each([
    [{ ENCLAVE_POOOL: 'static' }, /ENCLAVE_POOL/],
    [{ LLM_BASEURL: 'http://127.0.0.1:1' }, /LLM_BASE_URL/],
    [{ PORT: 'eighty' }, /PORT/],
    [{ ENGINE: 'magic' }, /ENGINE/],
    [{ SIGN_UP: 'maybe' }, /SIGN_UP/],
    [{ ENCLAVE_POOL: 'static' }, /ENCLAVE_URLS/],
  ] as const)('a wrong setting %o is one clear sentence and exit code 1', async (environment, named) => {
    const { code, complaint } = await startAndFail(environment as Record<string, string>);
    expect(code).toBe(1);
    expect(complaint).toMatch(named);
    expect(complaint.split('\n')).toHaveLength(1);
  });
});
