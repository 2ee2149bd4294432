import { type ClientRequest, request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../server/connections/listener.ts';
import { writeCertificate } from '../../../parts/network/certificate-files.ts';
import { nameTagOf, quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';

const mebibyte = 1024 * 1024;

async function listening(tls: { readonly certFile: string; readonly keyFile: string } | null = null) {
  const relay = await openTestRelay('sqlite');
  const { accessToken: token } = (await quickSignUp(relay, 'alice')).session;
  const settings = { host: '127.0.0.1', port: 0, tls, isHttps: tls !== null };
  const listener = await listen(relay.relay.app, settings);
  onTestFinished(() => listener.close(100));
  return { relay, port: listener.port, token };
}

type Got = { readonly status: number; readonly code: unknown; readonly sent: number };

/** Sends a body piece by piece and never ends it, until an answer is there. */
function drip(input: {
  readonly port: number;
  readonly token: string;
  readonly path: string;
  readonly pieces: (index: number) => string;
  readonly longest: number;
}): Promise<Got> {
  const headers = { authorization: `Bearer ${input.token}`, 'content-type': 'application/json' };
  let sent = 0;
  return new Promise((resolve, reject) => {
    const request = requestHttp({ port: input.port, host: '127.0.0.1', path: input.path, method: 'POST', headers });
    onTestFinished(() => void request.destroy());
    let isAnswered = false;
    request.on('response', (response) => {
      isAnswered = true;
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, code: (JSON.parse(text) as { error?: unknown }).error, sent });
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // Where the rest would cost too much to be dropped, the connection ends at once.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve({ status: 0, code: 'cut', sent });
      else if (!isAnswered) reject(error);
    });
    send(request, 0);
    function send(open: ClientRequest, index: number): void {
      if (isAnswered) return;
      if (sent >= input.longest) return void open.end();
      const piece = input.pieces(index);
      sent += piece.length;
      if (open.write(piece)) setImmediate(() => send(open, index + 1));
      else open.once('drain', () => send(open, index + 1));
    }
  });
}

const head = `"format":1,"expectedHead":"${'A'.repeat(43)}","head":{"counter":2,"body":"AAAA"},"prune":[],"finishTurns":[]`;
const keysFrom = (first: number) =>
  Array.from({ length: 5_000 }, (_, index) => `"${String(first + index).padStart(9, '0')}":1,`).join('');

test.each<[string, string, (index: number) => string]>([
  ['keys that all differ', '/v1/items', (index) => (index === 0 ? '{' : keysFrom(5_000 * index))],
  ['brackets', '/v1/turns', () => '['.repeat(65_536)],
  ['small lists', '/v1/items', (index) => (index === 0 ? `{${head},"items":[` : '[],'.repeat(20_000))],
  ['small objects', '/v1/turns', (index) => (index === 0 ? '{"batch":{"items":[' : '{"id":1},'.repeat(8_000))],
  ['white space', '/v1/items', () => ' '.repeat(65_536)],
  ['digits', '/v1/items', (index) => (index === 0 ? '{"format":' : '1'.repeat(65_536))],
  ['a key without an end', '/v1/turns', (index) => (index === 0 ? '{"' : '\\u0061'.repeat(10_000))],
])('a body of %s is refused after its first part, whatever follows', async (_what, path, pieces) => {
  const { port, token, relay } = await listening();
  const got = await drip({ port, token, path, pieces, longest: 20 * mebibyte });
  expect(got).toMatchObject({ status: 400, code: 'bad-request' });
  // System and relay hold a few megabytes of a connection.
  expect(got.sent).toBeLessThan(12 * mebibyte);
  expect((await relay.call('GET', '/v1/account', { token })).status).toBe(200);
});

test('a genuine body of 22 MiB in small pieces is read whole', { timeout: 120_000 }, async () => {
  const { port, token } = await listening();
  const item = (length: number) =>
    `{"id":"${'A'.repeat(22)}","version":1,"expiresAt":0,"flags":0,"body":"${'A'.repeat(length)}"}`;
  const text = `{${head},"items":[${item(Math.floor((16 * mebibyte * 4) / 3 / 4) * 4)}]}`;
  const pieces = (index: number) => text.slice(index * 16_384, (index + 1) * 16_384);
  // The batch is of another vault's head: understood, and only then refused.
  const got = await drip({ port, token, path: '/v1/items', pieces, longest: text.length });
  expect(got).toMatchObject({ status: 409, code: 'head-conflict', sent: text.length });
});

const start = JSON.stringify({ format: 1, nameTag: nameTagOf('alice') });

test('HTTP/1.1: a small body may come byte by byte, a long one may not', async () => {
  const { port, token } = await listening();
  const byte = (text: string) => (index: number) => text[index] ?? ' ';
  const small = await drip({
    port,
    token,
    path: '/v1/recovery/start',
    pieces: byte(start),
    longest: start.length,
  });
  expect(small).toMatchObject({ status: 200 });
  const long = await drip({
    port,
    token,
    path: '/v1/items',
    pieces: byte(`{"format":"${'A'.repeat(mebibyte)}`),
    longest: mebibyte,
  });
  expect([0, 413]).toContain(long.status);
  expect(long.sent).toBeLessThan(mebibyte / 4);
});

test('a body in chunks that nobody reads ends its connection, and one that is read keeps it', async () => {
  const { port, token } = await listening();
  const ask = (path: string, body: string, isChunked: boolean) =>
    new Promise((resolve, reject) => {
      const length = isChunked ? {} : { 'content-length': body.length };
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...length };
      const request = requestHttp({ port, host: '127.0.0.1', path, method: 'POST', headers }, (response) => {
        response.resume();
        resolve([response.statusCode, response.headers.connection]);
      });
      request.setHeader('connection', 'keep-alive');
      request.on('error', reject).write(body);
      request.end();
    });
  expect(await ask('/v1/nothing', start, true)).toEqual([404, 'close']);
  expect(await ask('/v1/nothing', start, false)).toEqual([404, 'keep-alive']);
  expect(await ask('/v1/recovery/start', start, true)).toEqual([200, 'keep-alive']);
});

test('HTTP/2: a small body may come byte by byte, a long one may not', { timeout: 120_000 }, async () => {
  const { cert, files } = await writeCertificate();
  const { port, token } = await listening(files);
  const session = connectHttp2(`https://localhost:${port}`, { ca: cert });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const send = async (path: string, text: string) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'sec-fetch-site': 'same-origin',
    });
    stream.on('error', () => undefined).resume();
    const status = new Promise<number>((resolve) => {
      stream.on('response', (headers) => resolve(headers[':status'] ?? 0));
      stream.on('close', () => resolve(0));
    });
    const closed = new Promise<void>((resolve) => void stream.once('close', () => resolve()));
    let sent = 0;
    for (const character of text) {
      if (stream.destroyed || stream.writableEnded) break;
      sent += 1;
      // Each write that was let out by itself is a frame of its own.
      await Promise.race([new Promise<void>((resolve) => void stream.write(character, () => resolve())), closed]);
    }
    if (!stream.destroyed) stream.end();
    return { status: await status, sent };
  };
  expect(await send('/v1/recovery/start', start)).toEqual({ status: 200, sent: start.length });
  const long = await send('/v1/items', `{"format":"${'A'.repeat(200_000)}`);
  // Its session ends, with the answer or before.
  expect([0, 413]).toContain(long.status);
  expect(long.sent).toBeLessThan(100_000);
});
