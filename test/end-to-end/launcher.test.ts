import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../parts/free-port.ts';
import { startSotto } from '../parts/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/temporary-folder.ts';

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
