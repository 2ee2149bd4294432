import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { AccountAnswer } from '../../crypto/protocol/messages/account-messages.ts';
import { findFreePort } from '../parts/network/free-port.ts';
import { makeSelfSigned } from '../parts/network/self-signed.ts';
import { cryptoReady, signIn, signUp } from '../parts/users/with-keys/node-account.ts';
import { NodeRelay } from '../parts/users/with-keys/node-relay.ts';
import { waitFor } from '../parts/relay/running-sotto.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';

const projectFolder = resolve(import.meta.dirname, '../..');

type RelayProcess = { readonly child: ChildProcess; output(): string; readonly ended: Promise<number | null> };

/** `node server/main.ts` alone, with a worker that is not there. */
function run(environment: Record<string, string>): RelayProcess {
  const usual = {
    PATH: process.env['PATH'] ?? '',
    ENCLAVE_POOL: 'static',
    ENCLAVE_URLS: 'http://127.0.0.1:9',
    ENCLAVE_TOKEN: 'x'.repeat(32),
  };
  const child = spawn(process.execPath, ['server/main.ts'], { cwd: projectFolder, env: { ...usual, ...environment } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  return { child, output: () => printed, ended: once(child, 'close').then(([code]) => code as number | null) };
}

async function start(environment: Record<string, string>): Promise<RelayProcess & { relay: NodeRelay }> {
  const port = await findFreePort();
  const started = run({ PORT: String(port), ...environment });
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      (answer) => answer.ok,
      () => false,
    );
  await waitFor(isUp, 120_000, () => `the relay did not start:\n${started.output()}`);
  const relay = new NodeRelay(`http://127.0.0.1:${port}`);
  onTestFinished(() => relay.close());
  return { ...started, relay };
}

async function folder(): Promise<string> {
  const made = await makeTemporaryFolder('process');
  onTestFinished(() => made.remove());
  return made.path;
}

test('kill -9: an account that was acknowledged is there after a restart, and its session goes on', async () => {
  await cryptoReady();
  const DATA_DIR = await folder();
  const first = await start({ DATA_DIR });
  await signUp(first.relay, 'alice', 'a password');
  const before = await first.relay.expect<AccountAnswer>(200, 'GET', '/v1/account');
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await start({ DATA_DIR });
  second.relay.accessToken = first.relay.accessToken;
  expect(await second.relay.expect<AccountAnswer>(200, 'GET', '/v1/account')).toEqual(before);
  await signIn(second.relay, 'alice', 'a password');
  expect(await second.relay.expect<AccountAnswer>(200, 'GET', '/v1/account')).toEqual(before);
});

test('a second process on the same data folder is refused with one sentence; the first goes on', async () => {
  const DATA_DIR = await folder();
  const first = await start({ DATA_DIR });
  const second = run({ DATA_DIR, PORT: String(await findFreePort()) });
  expect(await second.ended).toBe(1);
  expect(second.output()).toBe(
    `Sotto is already running on the data folder ${DATA_DIR}: stop it first, or choose another with DATA_DIR.\n`,
  );
  expect((await first.relay.call('GET', '/livez')).status).toBe(200);
});

test('the relay’s process: a start error that a person can mend is one sentence and exit code 1', async () => {
  const DATA_DIR = await folder();
  const first = await start({ DATA_DIR });
  const busy = first.relay.url.port;
  const file = join(DATA_DIR, 'a-file');
  await writeFile(file, '');
  for (const [environment, sentence] of [
    [
      { DATA_DIR: await folder(), PORT: busy },
      `Port ${busy} is in use: stop the program that has it, or choose another port with PORT=${Number(busy) + 1}.\n`,
    ],
    [
      { DATA_DIR: await folder(), HOST: '203.0.113.1' },
      'Nothing can listen on HOST=203.0.113.1 (EADDRNOTAVAIL): give an address of this machine.\n',
    ],
    [
      { DATA_DIR: join(file, 'x') },
      `The data folder ${join(file, 'x')} cannot be written: choose another with DATA_DIR.\n`,
    ],
    [{ DATA_DIR, ENCLAVE_TOKENS: 'x' }, 'There is no setting ENCLAVE_TOKENS; did you mean ENCLAVE_TOKEN?\n'],
    [
      { DATA_DIR, DATABASE_URL: 'postgres://127.0.0.1:1/x' },
      'PostgreSQL at DATABASE_URL does not answer (ECONNREFUSED): start it, or mend host and port.\n',
    ],
    [
      { DATA_DIR: await folder(), ENCLAVE_POOL: 'local', ENCLAVE_URLS: '' },
      'There is no enclave worker: use `npm start`, or set ENCLAVE_POOL=static, ENCLAVE_URLS and ENCLAVE_TOKEN.\n',
    ],
  ] as const) {
    const failed = run({ PORT: '0', ...environment });
    expect(await failed.ended).toBe(1);
    expect(failed.output()).toBe(sentence);
  }
});

test('SIGTERM: an ordered stop with exit code 0, and the folder is free', async () => {
  const DATA_DIR = await folder();
  const first = await start({ DATA_DIR });
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  expect(first.output()).toContain('"event":"stopped"');
  const second = await start({ DATA_DIR });
  second.child.kill('SIGINT');
  expect(await second.ended).toBe(0);
});

test('files: everything in the data folder is readable by its user alone', async () => {
  const DATA_DIR = join(await folder(), 'new');
  await mkdir(DATA_DIR, { mode: 0o700 });
  await start({ DATA_DIR });
  const { stat } = await import('node:fs/promises');
  const names = await readdir(DATA_DIR);
  expect(names).toEqual(expect.arrayContaining(['server-keys', 'sotto.sqlite', 'sotto.sqlite-wal']));
  for (const name of names) expect([name, (await stat(join(DATA_DIR, name))).mode & 0o077]).toEqual([name, 0]);
  expect(await readFile(join(DATA_DIR, 'server-keys'), 'utf8')).toMatch(/^sotto-keys-1\.[\w-]+\n$/);
});

test('healthz: 503 with a code while no enclave answers; livez: the process is there', async () => {
  const { relay } = await start({ DATA_DIR: await folder() });
  const health = await relay.call('GET', '/healthz');
  expect([health.status, health.json]).toEqual([503, { error: 'not-ready' }]);
  expect((await relay.call('GET', '/livez')).status).toBe(200);
});

test.each(['http', 'https'] as const)(
  '%s: a peer that asks for a tunnel and resets its connection stops nobody',
  async (scheme) => {
    const DATA_DIR = await folder();
    const pem = { cert: join(DATA_DIR, 'cert.pem'), key: join(DATA_DIR, 'key.pem') };
    const { cert, key } = makeSelfSigned();
    await Promise.all([writeFile(pem.cert, cert), writeFile(pem.key, key)]);
    const PORT = await findFreePort();
    const tls = scheme === 'http' ? {} : { TLS_CERT: pem.cert, TLS_KEY: pem.key };
    const relay = run({ DATA_DIR, PORT: String(PORT), ...tls });
    /** Status of the answer to this line; the connection is reset behind it, or ended. */
    const ask = (line: string, isReset: boolean) =>
      new Promise<string>((done) => {
        const raw = connect(PORT, '127.0.0.1');
        const socket = scheme === 'http' ? raw : connectTls({ socket: raw, rejectUnauthorized: false });
        for (const one of [raw, socket]) one.on('error', () => done('')).on('close', () => done(''));
        socket.once('data', (answer) => {
          done(String(answer).slice(9, 12));
          if (isReset) raw.resetAndDestroy();
          else raw.destroy();
        });
        socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      });
    const isAlive = async () => (await ask('GET /livez', false)) === '200';
    await waitFor(isAlive, 120_000, () => `the relay did not start:\n${relay.output()}`);
    for (let time = 0; time < 5; time++) {
      expect(await ask('CONNECT evil.example:443', true)).toBe('400');
      expect(await ask('GET /livez', false)).toBe('200');
    }
    expect([relay.child.exitCode, relay.output()]).toEqual([null, expect.not.stringContaining('defect')]);
  },
);
