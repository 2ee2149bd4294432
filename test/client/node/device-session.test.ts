import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deviceLocks } from '../../../client/node/device-locks.ts';
import { DeviceSession } from '../../../client/node/device-session.ts';
import { TokenFile } from '../../../client/node/token-file.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const token = (n: number) => `${'A'.repeat(22)}.${n}.${'B'.repeat(43)}`;
const line = (name: string, value: string, age = 600) =>
  `${name}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict`;

/** Answers with these lines, and keeps what it was sent. */
class CookieServer {
  readonly sent: (string | undefined)[] = [];
  lines: string[] = [];
  readonly #server = createServer((request: IncomingMessage, response) => {
    this.sent.push(request.headers.cookie);
    response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': this.lines });
    response.end('{}');
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let folder: TemporaryFolder;
let server: CookieServer;
let origin: string;
let path: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder('device-session');
  path = join(folder.path, 'session.json');
  server = new CookieServer();
  origin = await server.listen();
});
afterEach(async () => {
  server.close();
  await folder.remove();
});

const session = (of = origin) => new DeviceSession(of, new TokenFile(path), deviceLocks(folder.path));
const call = (each: DeviceSession, init: RequestInit = {}) =>
  each.fetch(`${origin}/v1/account`, { credentials: 'same-origin', ...init });

describe('DeviceSession', () => {
  it('fetch: shows what the relay gave, also after a restart, and no longer once the relay took it back', async () => {
    server.lines = [line('sotto-abc123', token(1)), line('sotto-device-abc123', 'Dev.1-x')];
    await call(session());
    server.lines = [line('sotto-abc123', token(2))];
    await call(session());
    server.lines = [line('sotto-abc123', '', 0)];
    await call(session());
    await call(session());
    expect(server.sent).toEqual([
      undefined,
      `sotto-abc123=${token(1)}; sotto-device-abc123=Dev.1-x`,
      `sotto-abc123=${token(2)}; sotto-device-abc123=Dev.1-x`,
      'sotto-device-abc123=Dev.1-x',
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('fetch: keeps nothing of another name, nothing that is too long, and what it had', async () => {
    server.lines = [line('sotto-abc123', token(1))];
    await call(session());
    server.lines = [
      line('other', 'x'),
      line('sotto-abc123x', 'x'),
      line('sotto-abc123', 'x'.repeat(513)),
      line('sotto-abc123', 'x y'),
      'sotto-abc123',
    ];
    await call(session());
    await call(session());
    const shown = `sotto-abc123=${token(1)}`;
    expect(server.sent).toEqual([undefined, shown, shown]);
  });

  it('fetch: shows nothing where the call is to show nothing, or is of another relay', async () => {
    server.lines = [line('sotto-abc123', token(1))];
    await call(session());
    await call(session(), { credentials: 'omit' });
    const kept = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...kept, origin: 'https://elsewhere.example' }));
    await call(session());
    expect(server.sent).toEqual([undefined, undefined, undefined]);
    await expect(session().fetch('https://elsewhere.example/')).rejects.toThrow('not the relay');
  });

  it('forget: keeps only that this device was signed in before', async () => {
    server.lines = [line('sotto-abc123', token(1)), line('sotto-device-abc123', 'Dev')];
    await call(session());
    await session().forget();
    server.lines = [];
    await call(session());
    expect(server.sent.at(-1)).toBe('sotto-device-abc123=Dev');
  });

  it('refuses a relay whose tokens others on the way could read', () => {
    expect(() => session('http://relay.example')).toThrow(TypeError);
    expect(() => session('http://localhost:8787/path')).toThrow(TypeError);
    expect(session('https://relay.example')).toBeInstanceOf(DeviceSession);
    expect(session('http://localhost:8787')).toBeInstanceOf(DeviceSession);
  });
});
