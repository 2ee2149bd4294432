import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { request as tlsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../crypto/evidence/key-statement.ts';
import { writeCertificate } from '../../parts/network/certificate-files.ts';
import { findFreePort } from '../../parts/network/free-port.ts';
import { readServedLog } from '../../parts/evidence/modal/paper-log.ts';
import { TestRegistrar } from '../../parts/evidence/modal/test-registrar.ts';

let registrar: TestRegistrar;
beforeAll(async () => {
  registrar = await TestRegistrar.start();
});
afterAll(() => registrar.stop());

/** Sends it as it is on the wire: fetch would tidy a path up. */
async function raw(path: string, headers: Record<string, string> = {}) {
  const call = request(registrar.url, { path, headers });
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) };
}

describe('the log over HTTP', () => {
  test('an empty log has a checkpoint; tiles come with the entries, and say that they never change', async () => {
    const own = await TestRegistrar.start();
    onTestFinished(() => own.stop());
    expect(await readServedLog(own.url)).toMatchObject({ size: 0, origin: own.logOrigin, entries: [] });
    expect((await fetch(`${own.url}/tile/0/000.p/1`)).status).toBe(404);
    await own.register();
    await own.register();
    expect(await readServedLog(own.url)).toMatchObject({ size: 2 });
    for (const path of ['/tile/0/000.p/1', '/tile/0/000.p/2', '/tile/entries/000.p/1', '/tile/entries/000.p/2']) {
      const answer = await fetch(own.url + path);
      expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('content-type')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
        'application/octet-stream',
      ]);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    }
    for (const path of ['/tile/0/000', '/tile/0/000.p/3', '/tile/0/001.p/1', '/tile/1/000.p/1', '/tile/entries/000']) {
      expect([path, (await fetch(own.url + path)).status]).toEqual([path, 404]);
    }
    const checkpoint = await fetch(`${own.url}/checkpoint`);
    expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(checkpoint.headers.get('cache-control')).toBe('no-store');
    expect(checkpoint.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('a bundle comes compressed to those who take it', async () => {
    await registrar.register();
    const plain = await raw('/tile/entries/000.p/1');
    const packed = await raw('/tile/entries/000.p/1', { 'accept-encoding': 'br, gzip' });
    expect([plain.headers['content-encoding'], packed.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    expect(packed.headers.vary).toBe('accept-encoding');
    expect(gunzipSync(packed.body)).toEqual(plain.body);
  });

  test.each([
    '/',
    '/v1',
    '/v1/register/',
    '/checkpoint?x=1',
    '//checkpoint',
    '/tile/0/../0/000.p/1',
    '/tile/0/000.p/1?x',
    '/v1/%72enew',
    '/.env',
  ])('%s is not there', async (path) => {
    expect((await raw(path)).status).toBe(404);
  });
});

describe('calls', () => {
  const proof = async () => registrar.prove(generateIdentityKeyPair(), { kind: 'renew' });
  const post = (path: string, init: RequestInit) => fetch(registrar.url + path, { method: 'POST', ...init });
  const json = { 'content-type': 'application/json' };
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: string }).error];

  test('the method, the type, the length and the form are asked for', async () => {
    const body = JSON.stringify({ format: 1 });
    expect((await post('/v1/challenge', { headers: json, body })).status).toBe(200);
    expect(await codeOf(await fetch(`${registrar.url}/v1/challenge`))).toEqual([405, 'method-not-allowed']);
    expect(await codeOf(await post('/checkpoint', { headers: json, body }))).toEqual([405, 'method-not-allowed']);
    expect(await codeOf(await post('/v1/challenge', { body }))).toEqual([415, 'wrong-media-type']);
    expect(await codeOf(await post('/v1/challenge', { headers: json, body: ' '.repeat(12_289) }))).toEqual([
      413,
      'too-large',
    ]);
    const stream = new ReadableStream({
      start(controller) {
        for (let count = 0; count < 20; count++) controller.enqueue(new Uint8Array(1024).fill(32));
        controller.close();
      },
    });
    const unknownLength = { headers: json, body: stream, duplex: 'half' } as RequestInit;
    expect(await codeOf(await post('/v1/challenge', unknownLength))).toEqual([413, 'too-large']);
    const twice = '{"format":1,"format":1}';
    for (const wrong of ['', '{', 'null', '[]', '{"format":2}', '{"format":1,"more":1}', twice, '\ufeff{"format":1}']) {
      expect([wrong, ...(await codeOf(await post('/v1/challenge', { headers: json, body: wrong })))]).toEqual([
        wrong,
        400,
        'bad-request',
      ]);
    }
    expect(await codeOf(await post('/v1/challenge', { headers: json, body: Buffer.from([0x7b, 0xff, 0x7d]) }))).toEqual(
      [400, 'bad-request'],
    );
  });

  test.each<[name: string, change: (call: Record<string, unknown>) => object]>([
    ['a member too many', (call) => ({ ...call, more: 1 })],
    ['no format', (call) => ({ ...call, format: undefined })],
    ['no challenge', (call) => ({ ...call, challenge: undefined })],
    ['a short signature', (call) => ({ ...call, signature: String(call['signature']).slice(4) })],
    ['a key that is no canonical base64url', (call) => ({ ...call, identityPublicKey: `${'A'.repeat(42)}B` })],
    ['a number in place of a text', (call) => ({ ...call, challenge: 7 })],
  ])('renew: refuses %s', async (_name, change) => {
    const call = { format: 1, ...(await proof()) };
    expect(await registrar.post('/v1/renew', change(call))).toMatchObject({
      status: 400,
      body: { error: 'bad-request' },
    });
    // None of these used up the challenge.
    expect(await registrar.post('/v1/renew', call)).toMatchObject({ status: 404, body: { error: 'not-registered' } });
  });

  test.each(['', 'a.b', 'a.b.c.d', 'a b.c.d', `${'a'.repeat(8190)}.b.c`, '..', 'a.b.c\n'])(
    'register: %j is no token',
    async (identityToken) => {
      const call = { format: 1, ...(await proof()) };
      expect(await registrar.post('/v1/register', { ...call, identityToken })).toMatchObject({ status: 400 });
    },
  );

  test('a body that breaks off, and a line that is no HTTP, do it no harm', async () => {
    const { port } = new URL(registrar.url);
    for (const text of [
      'POST /v1/challenge HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
      '\x00\x01\r\n\r\n',
    ]) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(text);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
    }
    expect((await registrar.register()).status).toBe(200);
    expect(registrar.printed).not.toContain('call-failed');
  });
});

test('one address cannot keep the registrar busy, and its proxy says who is who', async () => {
  const own = await TestRegistrar.start({
    REGISTRAR_ADDRESS_HEADER: 'X-Forwarded-For',
    REGISTRAR_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1',
  });
  onTestFinished(() => own.stop());
  const call = async (from: string) =>
    (
      await fetch(`${own.url}/v1/challenge`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
        body: '{"format":1}',
      })
    ).status;
  // Addresses further left in the header could be anyone's invention.
  const statuses = await Promise.all(
    Array.from({ length: 500 }, (_, count) => call(`198.51.100.${count % 200}, 192.0.2.1, 10.1.2.3`)),
  );
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(240);
  expect(statuses).toContain(429);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(await call('192.0.2.2')).toBe(200);
  // Reading the log is counted apart.
  expect((await fetch(`${own.url}/checkpoint`, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(200);
});

test('an address header is believed from a trusted proxy alone', async () => {
  const own = await TestRegistrar.start({
    REGISTRAR_ADDRESS_HEADER: 'X-Forwarded-For',
    REGISTRAR_TRUSTED_PROXIES: '192.0.2.9',
  });
  onTestFinished(() => own.stop());
  const statuses: number[] = [];
  // The bucket fills while it is emptied, on a busy machine nearly as fast.
  for (let call = 0; call < 5_000 && !statuses.includes(429); call++) {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': `198.51.100.${call % 250}` };
    const answer = await fetch(`${own.url}/v1/challenge`, { method: 'POST', headers, body: '{"format":1}' });
    await answer.text();
    statuses.push(answer.status);
  }
  // All of them were one caller, whose calls are over; another address of this machine has its own.
  expect(statuses).toContain(429);
  const other = request(`${own.url}/v1/challenge`, {
    method: 'POST',
    localAddress: '127.0.0.2',
    headers: { 'content-type': 'application/json' },
  });
  other.end('{"format":1}');
  const [answer] = (await once(other, 'response')) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(200);
});

test('connections that say nothing shut nobody out, and end', { timeout: 60_000 }, async () => {
  const own = await TestRegistrar.start();
  onTestFinished(() => own.stop());
  const port = Number(new URL(own.url).port);
  let closed = 0;
  const openOne = async (first: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    socket.once('close', () => {
      closed += 1;
    });
    await once(socket, 'connect');
    if (first !== '') socket.write(first);
  };
  // Beyond 64 of one address they end at once.
  for (let count = 0; count < 100; count++) await openOne('');
  await expect.poll(() => closed, { timeout: 20_000 }).toBe(36);
  const ask = async (localAddress: string) => {
    const call = request(`${own.url}/checkpoint`, { localAddress });
    call.end();
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  await expect(ask('127.0.0.3')).rejects.toThrow(/ECONNRESET|hang up/);
  expect(await ask('127.0.0.4')).toBe(200);
  // And the silent ones after a few seconds, so that their address has its places again.
  await expect.poll(() => closed, { timeout: 20_000, interval: 200 }).toBe(100);
  expect(await ask('127.0.0.3')).toBe(200);
  // A line that does not come to its end is no better than none.
  for (let count = 0; count < 64; count++) await openOne('GET /checkpoint HTTP/1.1\r\nhost: a\r\nx-');
  await expect.poll(() => closed, { timeout: 20_000, interval: 200 }).toBe(164);
  expect(await ask('127.0.0.3')).toBe(200);
});

test('https of its own', async () => {
  const { cert, files } = await writeCertificate();
  const own = await TestRegistrar.start();
  onTestFinished(() => own.stop());
  await own.kill();
  const port = await findFreePort();
  // Its own check of health speaks http, so this run is looked at over https alone.
  void own
    .run({ REGISTRAR_TLS_CERT: files.certFile, REGISTRAR_TLS_KEY: files.keyFile, REGISTRAR_PORT: String(port) })
    .catch(() => undefined);
  const ask = async () => {
    const call = tlsRequest({
      host: '127.0.0.1',
      port,
      path: '/checkpoint',
      ca: cert,
      servername: 'localhost',
    });
    call.end();
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  let status: number | undefined;
  for (let tries = 0; status === undefined && tries < 100; tries++) {
    status = await ask().catch(() => undefined);
    if (status === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(status).toBe(200);
});
