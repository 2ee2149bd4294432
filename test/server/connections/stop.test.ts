import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import type { RelayApp } from '../../../server/api/app.ts';
import { listen } from '../../../server/connections/listener.ts';
import { writeCertificate } from '../../parts/network/certificate-files.ts';
import { isOpen } from '../../parts/network/nginx.ts';
import { quickSignUp } from '../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../parts/relay/in-process/test-relay.ts';

const json = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
/** Longer than any of these stops takes on a machine that does nothing else. */
const longestMs = 20_000;

async function listening() {
  const relay = await openTestRelay('sqlite');
  const listener = await listen(relay.relay.app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => void listener.close(0));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const open = (path: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    requestHttp({ agent, host: '127.0.0.1', port: listener.port, path, ...options });
  return { relay, listener, open, port: listener.port };
}

async function answerOf(request: ClientRequest): Promise<{ status: number; connection: string; text: string }> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += String(piece);
  return { status: response.statusCode ?? 0, connection: response.headers.connection ?? '', text };
}

async function connected(port: number): Promise<Socket & { received: string }> {
  const socket = Object.assign(connect(port, '127.0.0.1'), { received: '' });
  socket.setEncoding('utf8').on('data', (piece: string) => (socket.received += piece));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return socket;
}

test('stop: a call under way is answered, with the end of its connection; kept ones end; none has to be cut', async () => {
  const { listener, open, port } = await listening();
  const idle = await connected(port);
  idle.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await expect.poll(() => idle.received).toContain('ok');
  expect(idle.received).toMatch(/connection: keep-alive/i);
  const underWay = open('/v1/recovery/start', { method: 'POST', headers: { ...json, 'transfer-encoding': 'chunked' } });
  underWay.write('{"format":');
  // The relay has its head when it has answered what was sent to another connection after it.
  expect(await answerOf(requestHttp({ host: '127.0.0.1', port, path: '/livez' }).end())).toMatchObject({ status: 200 });

  const closed = listener.close(longestMs);
  await once(idle, 'close');
  await expect.poll(() => isOpen(port)).toBe(false);
  underWay.end('2}');
  expect(await answerOf(underWay)).toMatchObject({ status: 400, connection: 'close', text: '{"error":"bad-request"}' });
  await closed;
  expect(listener.cut).toBe(0);
});

test('stop: a call that a kept connection brings just then is answered, as its last', async () => {
  const { listener, port } = await listening();
  const socket = await connected(port);
  socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await expect.poll(() => socket.received).toContain('ok\n');
  socket.received = '';
  const closed = listener.close(longestMs);
  socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(socket, 'close');
  expect(socket.received).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: close[\s\S]*ok\n/i);
  await closed;
  expect(listener.cut).toBe(0);
});

test('stop: an answer that is made and not yet with its slow client arrives whole', async () => {
  const app: RelayApp = new Hono();
  const length = 48 * 1024 * 1024;
  app.get('/large', () => new Response(new Uint8Array(length)));
  const listener = await listen(app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  const request = requestHttp({ host: '127.0.0.1', port: listener.port, path: '/large' }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  const closed = listener.close(longestMs);
  // Long past the moment in which kept connections end.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  let received = 0;
  for await (const piece of response as AsyncIterable<Buffer>) received += piece.length;
  expect(received).toBe(length);
  await closed;
  expect(listener.cut).toBe(0);
});

test('stop: one that never takes its answer is cut when the time is over, and counted', async () => {
  const app: RelayApp = new Hono();
  app.get('/large', () => new Response(new Uint8Array(48 * 1024 * 1024)));
  const listener = await listen(app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  const socket = await connected(listener.port);
  socket.write('GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await expect.poll(() => socket.received.length).toBeGreaterThan(0);
  socket.pause();
  await listener.close(500);
  expect(listener.cut).toBe(1);
});

test('stop over HTTP/2: GOAWAY at once, the open stream is answered, and nothing new is taken', async () => {
  const relay = await openTestRelay('sqlite');
  const { cert, files: tls } = await writeCertificate();
  const listener = await listen(relay.relay.app, { host: '127.0.0.1', port: 0, tls, isHttps: true });
  const session = connectHttp2(`https://localhost:${listener.port}`, { ca: cert });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/v1/recovery/start', ':method': 'POST', ...json });
  stream.write('{"format":');
  const [other] = (await once(session.request({ ':path': '/livez' }), 'response')) as [Record<string, unknown>];
  expect(other[':status']).toBe(200);
  const away = once(session, 'goaway');
  const closed = listener.close(longestMs);
  expect((await away)[0]).toBe(0);
  await expect(once(session.request({ ':path': '/livez' }), 'response')).rejects.toThrow('GOAWAY');
  const answered = once(stream, 'response');
  stream.end('2}');
  expect((await answered)[0]).toMatchObject({ ':status': 400 });
  stream.resume();
  await closed;
  expect(listener.cut).toBe(0);
});

test('leave: live responses end at once, a new one is cut without an answer, and only /livez goes on saying ok', async () => {
  const { open, relay } = await listening();
  const { session } = await quickSignUp(relay, 'alice');
  const headers = { authorization: `Bearer ${session.accessToken}` };
  const live = open('/v1/live', { headers }).end();
  const [response] = (await once(live, 'response')) as [IncomingMessage];
  await once(response, 'data');
  const ended = once(response.resume(), 'end');
  relay.relay.leave();
  await ended;
  expect(await answerOf(open('/livez').end())).toMatchObject({ status: 200, connection: 'keep-alive' });
  for (const path of ['/readyz', '/healthz']) {
    expect(await answerOf(open(path).end())).toMatchObject({ status: 503, text: '{"error":"not-ready"}' });
  }
  await expect(once(open('/v1/live', { headers }).end(), 'response')).rejects.toThrow('socket hang up');
  // Other calls that were on their way are answered as ever.
  expect(await answerOf(open('/v1/account', { headers }).end())).toMatchObject({ status: 200 });
});
