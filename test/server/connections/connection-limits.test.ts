import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import type { RelayApp } from '../../../server/api/app.ts';
import { usualTimes } from '../../../server/connections/connections.ts';
import { listen, type ListenerSettings } from '../../../server/connections/listener.ts';
import { contentSecurityPolicy } from '../../../server/api/pages/security-headers.ts';
import { writeCertificate } from '../../parts/network/certificate-files.ts';

const largeLength = 48 * 1024 * 1024;

/** A large answer, an endless one, and a small one. */
function makeApp(onLargeClosed: () => void): RelayApp {
  const app: RelayApp = new Hono();
  app.get('/large', (c) => {
    (c.env as Partial<HttpBindings>).outgoing?.once('close', onLargeClosed);
    return new Response(new Uint8Array(largeLength));
  });
  app.get('/livez', () => new Response('ok\n'));
  app.get('/live', () => {
    let timer: NodeJS.Timeout | undefined;
    return new Response(
      new ReadableStream({
        start: (controller) => void (timer = setInterval(() => controller.enqueue(new Uint8Array(41)), 100)),
        cancel: () => clearInterval(timer),
      }),
    );
  });
  return app;
}

async function listening(more: Partial<ListenerSettings> = {}, times = usualTimes, onLargeClosed = () => {}) {
  const settings = { host: '0.0.0.0', port: 0, tls: null, isHttps: false, ...more };
  const listener = await listen(makeApp(onLargeClosed), settings, times);
  onTestFinished(() => listener.close(0));
  return listener.port;
}

async function listeningTls(times = usualTimes) {
  const { cert, files: tls } = await writeCertificate();
  const port = await listening({ tls, isHttps: true }, times);
  const open = () => {
    const session = connectHttp2(`https://localhost:${port}`, { ca: cert });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    return session;
  };
  return { port, open, cert };
}

/** A connection that is open, from one of this machine's many addresses. */
async function silent(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket.resume();
}

async function isServed(port: number, localAddress = '127.0.0.1'): Promise<boolean> {
  const request = requestHttp({ port, host: '127.0.0.1', localAddress, path: '/livez', agent: false }).end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'close');
    return response.statusCode === 200;
  } catch {
    return false;
  }
}

async function statusOver(session: ClientHttp2Session): Promise<unknown> {
  const stream = session.request({ ':path': '/livez' });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  stream.close();
  return headers[':status'];
}

test('one address has so many connections, its /24 four times as many, and others are served meanwhile', async () => {
  const port = await listening({ connections: { total: 1_000, perAddress: 10 } });
  const own = [];
  for (let index = 0; index < 10; index++) own.push(await silent(port));
  expect([await isServed(port), await isServed(port, '127.0.0.2')]).toEqual([false, true]);
  own[0]?.destroy();
  await expect.poll(() => isServed(port)).toBe(true);
  for (let index = 0; index < 31; index++) await silent(port, `127.0.0.${10 + index}`);
  expect([await isServed(port, '127.0.0.200'), await isServed(port, '127.0.1.1')]).toEqual([false, true]);
});

test('a trusted proxy has as many as there are in all', async () => {
  const isProxy = (address: string) => address.endsWith('127.0.0.1');
  const port = await listening({ connections: { total: 1_000, perAddress: 10 }, isProxy });
  for (let index = 0; index < 60; index++) await silent(port);
  expect(await isServed(port)).toBe(true);
});

test('where all places are taken, the oldest silent connection makes room; one that carries an answer never does', async () => {
  const port = await listening({ connections: { total: 40, perAddress: 40 } });
  const live = requestHttp({ port, host: '127.0.0.1', path: '/live', agent: false }).end();
  const [response] = (await once(live, 'response')) as [IncomingMessage];
  let received = 0;
  response.on('data', () => (received += 1));
  for (let index = 0; index < 200; index++) await silent(port, `127.1.${index}.1`);
  await expect.poll(() => isServed(port, '127.2.0.1')).toBe(true);
  const before = received;
  await expect.poll(() => received).toBeGreaterThan(before + 2);
  live.destroy();
});

test('where every place carries an answer, one more is refused until one ends', async () => {
  const port = await listening({ connections: { total: 20, perAddress: 100 } });
  const lives = [];
  for (let index = 0; index < 20; index++) {
    const live = requestHttp({ port, host: '127.0.0.1', path: '/live', agent: false }).end();
    live.on('error', () => undefined);
    await once(live, 'response');
    lives.push(live);
  }
  expect(await isServed(port)).toBe(false);
  lives.forEach((live) => live.destroy());
  await expect.poll(() => isServed(port)).toBe(true);
});

test('a connection that sends no whole head ends, over HTTP/1.1, with and without TLS, with all headers', async () => {
  const times = { ...usualTimes, headMs: 300, sweepMs: 100 };
  const port = await listening({}, times);
  for (const head of ['', 'GET /livez HTTP/1.1\r\nhost: local']) {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    socket.write(head);
    await once(socket, 'close');
    expect([head, text]).toEqual([head, expect.stringMatching(/^HTTP\/1\.1 408 /)]);
    expect(text).toContain(contentSecurityPolicy);
  }
  const { port: securePort, cert } = await listeningTls(times);
  const secure = connectTls({ port: securePort, host: '127.0.0.1', servername: 'localhost', ca: cert });
  secure.resume().write('GET /livez HTTP/1.1\r\nhost: local');
  await once(secure, 'close');
});

test('a head that is too long is refused, over both protocols, with all headers; a long one is taken', async () => {
  const port = await listening();
  const answerTo = async (length: number) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    socket.on('error', () => undefined);
    socket.write(`GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: ${'a'.repeat(length)}\r\n\r\n`);
    await once(socket, 'close');
    return text;
  };
  expect(await answerTo(15_000)).toMatch(/^HTTP\/1\.1 200 /);
  const refused = await answerTo(17_000);
  expect(refused).toMatch(/^HTTP\/1\.1 431 /);
  expect(refused).toContain(contentSecurityPolicy);
  const { open } = await listeningTls();
  const session = open();
  const status = async (length: number) => {
    const stream = session.request({ ':path': '/livez', x: 'a'.repeat(length) });
    stream.on('error', () => undefined);
    const answered = once(stream, 'response').then(([headers]) => (headers as Record<string, unknown>)[':status']);
    return Promise.race([answered, once(stream, 'close').then(() => 'closed')]).catch(() => 'closed');
  };
  expect(await status(12_000)).toBe(200);
  expect(await status(40_000)).not.toBe(200);
});

test('an answer that nobody takes is cut; one that is taken slowly arrives, and an endless one goes on', async () => {
  let closed = 0;
  const port = await listening({}, { ...usualTimes, stallMs: 4_000, sweepMs: 100 }, () => (closed += 1));
  const open = async (path: string) => {
    const request = requestHttp({ port, host: '127.0.0.1', path, agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  };
  const live = await open('/live');
  let records = 0;
  live.on('data', () => (records += 1));
  const stalled = await open('/large');
  const cut = once(stalled, 'error').then(() => 'cut');
  const slow = await open('/large');
  let received = 0;
  // Longer in all than the time in which something must move.
  for await (const piece of slow as AsyncIterable<Buffer>) {
    const before = Math.floor(received / (4 * 1024 * 1024));
    received += piece.length;
    if (Math.floor(received / (4 * 1024 * 1024)) > before) await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(received).toBe(largeLength);
  // Both are over at the relay. What had arrived before the cut is read, and then its end is an error.
  await expect.poll(() => closed, { timeout: 60_000 }).toBe(2);
  stalled.resume();
  expect(await cut).toBe('cut');
  const before = records;
  await expect.poll(() => records).toBeGreaterThan(before + 2);
  live.destroy();
});

test('a whole answer has its last day, however slowly it is taken', async () => {
  const port = await listening({}, { ...usualTimes, deliveryMs: 1_000, sweepMs: 100 });
  const request = requestHttp({ port, host: '127.0.0.1', path: '/large', agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const dripped = async () => {
    for await (const piece of response as AsyncIterable<Buffer>) {
      await new Promise((resolve) => setTimeout(resolve, piece.length / 1_000));
    }
  };
  await expect(dripped()).rejects.toThrow('aborted');
});

test('HTTP/2: a session without a call ends, one with an endless answer stays', async () => {
  const { open } = await listeningTls({ ...usualTimes, idleMs: 500, sweepMs: 100 });
  const [idle, used, live] = [open(), open(), open()];
  expect(await statusOver(used)).toBe(200);
  const stream = live.request({ ':path': '/live' });
  let records = 0;
  stream.on('data', () => (records += 1));
  await once(stream, 'response');
  await Promise.all([once(idle, 'close'), once(used, 'close')]);
  const before = records;
  await expect.poll(() => records).toBeGreaterThan(before + 2);
  expect(live.closed).toBe(false);
});

/** One frame of RFC 9113, §4.1. */
function frame(type: number, flags: number, stream: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** `:method: GET`, `:path: /`, `:scheme: https` of the static table. */
const headFields = Buffer.from([0x82, 0x84, 0x87]);
const headers = (stream: number, flags: number) => frame(1, flags, stream, headFields);
const wholeHead = 0x5;

test.each([
  [
    'resets',
    (round: number) =>
      Buffer.concat([headers(2 * round + 1, wholeHead), frame(3, 0, 2 * round + 1, Buffer.of(0, 0, 0, 8))]),
  ],
  ['pings', () => frame(6, 0, 0, Buffer.alloc(8))],
  ['settings', () => frame(4, 0, 0)],
  ['CONTINUATION frames', (round: number) => (round === 0 ? headers(1, 1) : frame(9, 0, 1))],
] as const)('HTTP/2: a flood of %s ends its session, and another one is served', async (_what, next) => {
  const { cert, open, port } = await listeningTls();
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: cert, ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  let isClosed = false;
  socket.once('close', () => (isClosed = true));
  socket.resume().write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]));
  for (let round = 0; round < 20_000 && !isClosed; round++) {
    socket.write(next(round));
    if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => isClosed, { timeout: 20_000 }).toBe(true);
  expect(await statusOver(open())).toBe(200);
});

test('HTTP/2: what a browser sends of pings, settings and resets is taken', async () => {
  const { open } = await listeningTls();
  const session = open();
  for (let round = 0; round < 40; round++) {
    await new Promise((resolve) => session.ping(resolve));
    const stream = session.request({ ':path': '/live' });
    await once(stream, 'response');
    stream.close(constants.NGHTTP2_CANCEL);
  }
  expect(await statusOver(session)).toBe(200);
});
