import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkPortIsFree, nameOnThisMachine, portComplaint } from '../../../server/launch/preflight.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

test('checkPortIsFree: a port that is free is the answer, and for 0 one that is', async () => {
  const port = await checkPortIsFree('127.0.0.1', 0);
  expect(port).toBeGreaterThan(0);
  expect(await checkPortIsFree('127.0.0.1', port)).toBe(port);
});

test('checkPortIsFree: a port in use is one sentence, and so is an address of another machine', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(checkPortIsFree('127.0.0.1', port)).rejects.toThrow(`Port ${port} is in use: stop the program`);
  await expect(checkPortIsFree('203.0.113.1', port)).rejects.toThrow(
    'Nothing can listen on HOST=203.0.113.1 (EADDRNOTAVAIL): give an address of this machine.',
  );
});

test('portComplaint: the port that is named instead is one that there is', () => {
  expect(portComplaint('EADDRINUSE', '127.0.0.1', 8787).message).toContain('another port with PORT=8788.');
  expect(portComplaint('EADDRINUSE', '127.0.0.1', 65_535).message).toContain('another port with PORT=8787.');
});

test.each([
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost'],
  // Addresses at which one listens and nobody asks: under them the relay refuses its own page.
  ['0.0.0.0', 'localhost'],
  ['::', 'localhost'],
  ['192.168.1.5', '192.168.1.5'],
  ['2001:db8::5', '[2001:db8::5]'],
  ['fe80::1%eth0', '[fe80::1]'],
])('nameOnThisMachine: who listens on %s is called %s', (host, name) => {
  expect(nameOnThisMachine(host)).toBe(name);
  expect(URL.parse(`http://${nameOnThisMachine(host)}:8787`)?.port).toBe('8787');
});

test.each([
  'server/main.ts',
  'server/launcher.ts',
  'server/backup.ts',
  'enclave-worker/worker.ts',
  'registrar/main.ts',
])(
  '%s: a .env that cannot be read is one sentence and exit code 1; without it the next thing is said',
  async (program) => {
    const folder = await makeTemporaryFolder('env');
    onTestFinished(() => folder.remove());
    const environment = join(folder.path, '.env');
    await mkdir(environment);
    const start = () =>
      spawnSync(process.execPath, [join(import.meta.dirname, '../../..', program), 'x'], {
        cwd: folder.path,
        env: { PATH: process.env['PATH'], ENCLAVE_POOL: 'nowhere', LOG_LEVEL: 'loud' },
        encoding: 'utf8',
      });
    const failed = start();
    expect([failed.status, failed.stdout]).toEqual([1, '']);
    expect(failed.stderr).toMatch(
      /^The file \.env cannot be read: it must be a text file of the user who runs .*\.\n$/,
    );
    await rm(environment, { recursive: true });
    await writeFile(environment, 'SIGN_UP=open\nLLM_BASE_URLS=x\n');
    const misspelt = start();
    const sentence = 'The file .env sets LLM_BASE_URLS, and there is no such setting; did you mean LLM_BASE_URL?\n';
    expect([misspelt.status, misspelt.stderr]).toEqual([1, sentence]);
    await writeFile(environment, 'SIGN_UP=$OPEN\n');
    const unclear = start();
    expect([unclear.status, unclear.stderr]).toEqual([1, expect.stringMatching(/^Line 1 of the file \.env could/)]);
    await writeFile(environment, "SIGN_UP='open' # to everybody\n");
    const without = start();
    expect([without.status, without.stderr]).toEqual([1, expect.not.stringContaining('.env')]);
  },
);
