import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { EnclavePolicy, ModalPolicy } from '../../crypto/evidence/policy/policy.ts';
import { randomBytes, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { modalPolicy } from '../parts/evidence/modal/modal-machine.ts';
import { ServedTestLog } from '../parts/evidence/modal/served-log.ts';
import { TestRegistrar } from '../parts/evidence/modal/test-registrar.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let registrar: TestRegistrar;
beforeAll(async () => {
  folder = await makeTemporaryFolder('audit');
  registrar = await TestRegistrar.start();
});
afterAll(async () => {
  await registrar.stop();
  await folder.remove();
});
let savedFile: string;
beforeEach(() => {
  savedFile = join(folder.path, `saved-${toBase64Url(randomBytes(6))}`);
});

const withoutModal: Partial<EnclavePolicy> = { allowedKinds: ['development'], minimum: 'any' };

/** `npm run registrar:audit -- URL FILE`. */
async function audit(url: string, saved: string | null, section: ModalPolicy | null = registrar.policySection) {
  const policyFile = join(folder.path, 'policy.json');
  writeFileSync(policyFile, JSON.stringify(modalPolicy(section, section === null ? withoutModal : {})));
  const child = spawn(process.execPath, ['audit/audit-log.ts', url, ...(saved === null ? [] : [saved])], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'] ?? '', CLIENT_POLICY: policyFile },
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, printed };
}

test('exit code 0: it keeps the checkpoint, and sees later that the log has only grown', async () => {
  await registrar.register();
  const first = await audit(registrar.url, savedFile);
  expect(first).toEqual({
    code: 0,
    printed: `registrar.test/log-1: 1 statements about 1 enclaves; entries, tiles, root and signatures are in order.\nFirst audit: ${savedFile} keeps its checkpoint.\n`,
  });
  expect(readFileSync(savedFile, 'utf8')).toMatch(/^registrar\.test\/log-1\n1\n/);
  await registrar.register();
  await registrar.register();
  const second = await audit(`${registrar.url}/`, savedFile);
  expect(second.printed).toContain(`3 statements about 3 enclaves`);
  expect(second.printed).toContain(`Nothing of ${savedFile} has changed since.`);
  expect(second.code).toBe(0);
  expect(readFileSync(savedFile, 'utf8')).toMatch(/^registrar\.test\/log-1\n3\n/);
});

test('exit code 1: a log that was written anew; the checkpoint of the honest one is kept', async () => {
  await registrar.register();
  expect(await audit(registrar.url, savedFile)).toMatchObject({ code: 0 });
  const saved = readFileSync(savedFile, 'utf8');
  const fork = await ServedTestLog.start(registrar.keys);
  onTestFinished(() => fork.stop());
  fork.fill(50);
  expect(await audit(fork.url, savedFile)).toEqual({
    code: 1,
    printed: 'The log was rewritten: its beginning is not the log of the saved checkpoint.\n',
  });
  expect(readFileSync(savedFile, 'utf8')).toBe(saved);
  const unsaved = `${savedFile}-other`;
  const section = { ...registrar.policySection, logPublicKey: registrar.policySection.registrarPublicKey };
  expect(await audit(registrar.url, unsaved, section)).toMatchObject({ code: 1 });
  // Nothing of a bad log is kept for the next audit.
  expect(existsSync(unsaved)).toBe(false);
});

test('exit code 2: nobody there, no policy, no address', async () => {
  expect(await audit('http://127.0.0.1:9', null)).toEqual({
    code: 2,
    printed: 'The log does not answer /checkpoint.\n',
  });
  expect(await audit(registrar.url, null, null)).toMatchObject({
    code: 2,
    printed: expect.stringContaining('names no registrar'),
  });
  expect(await audit('registrar.example.com', null)).toMatchObject({
    code: 2,
    printed: expect.stringContaining('Usage'),
  });
});

test.each<readonly [name: string, answer: (response: ServerResponse) => void, said: string, code: number]>([
  ['sends on and on', (response) => response.writeHead(302, { location: '/checkpoint' }).end(), 'does not answer', 2],
  ['sends elsewhere', elsewhere, 'does not answer', 2],
  ['is always busy', (response) => response.writeHead(429, { 'retry-after': '1e9' }).end(), 'with status 429', 2],
  ['breaks off', (response) => response.write('a', () => response.destroy()), 'breaks off its answer', 2],
  ['never stops', (response) => void Readable.from(endless()).pipe(response), 'with more than a tile can hold', 1],
  [
    'sends little that becomes much',
    (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    'with more than a tile can hold',
    1,
  ],
])('a log that %s ends the audit with one sentence', async (_name, answer, said, code) => {
  const server = createServer((_request, response) => answer(response));
  onTestFinished(() => server.close().closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { printed, ...rest } = await audit(`http://127.0.0.1:${port}`, savedFile);
  expect(rest).toEqual({ code });
  expect(printed).toMatch(/^The log [^\n]*\.\n$/);
  expect(printed).toContain(said);
  expect(existsSync(savedFile)).toBe(false);
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

function elsewhere(response: ServerResponse): void {
  if (response.req.url === '/other') response.end('no checkpoint');
  else response.writeHead(302, { location: '/other' }).end();
}
