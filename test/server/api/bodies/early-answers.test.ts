import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { usualTimes } from '../../../../server/connections/connections.ts';
import { listen } from '../../../../server/connections/listener.ts';
import { endUnlessRead, type RestLimits, usualRest } from '../../../../server/api/bodies/unread-bodies.ts';
import { writeCertificate } from '../../../parts/network/certificate-files.ts';
import { makeSelfSigned } from '../../../parts/network/self-signed.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { encodeFrame, getHead, preface } from '../../../parts/users/worst/worst-floods.ts';

/* Answers that are given before the body is read: the sender must see them, however slowly it sends. */

const kibibyte = 1024;
const certificate = makeSelfSigned();
const { cert } = certificate;

async function listening(withTls: boolean, rest: RestLimits = usualRest): Promise<number> {
  const relay = await openTestRelay('sqlite');
  const { files } = await writeCertificate(certificate);
  const settings = { host: '127.0.0.1', port: 0, tls: withTls ? files : null, isHttps: withTls };
  const listener = await listen(relay.relay.app, settings, usualTimes, rest);
  onTestFinished(() => listener.close(0));
  return listener.port;
}

function open(port: number, withTls: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const place = { port, host: '127.0.0.1' };
    const socket = withTls
      ? connectTls({ ...place, ca: cert, servername: 'localhost' }, () => resolve(socket))
      : connect(place, () => resolve(socket));
    socket.once('error', reject);
    onTestFinished(() => void socket.destroy());
  });
}

type Sending = {
  readonly path: string;
  readonly pieces: number;
  readonly isChunked?: boolean;
  readonly gapMs?: number;
};

/** Sends a whole body, then reads, as a blocking client does. @returns the answer, and whether the connection broke. */
async function sendThenRead(socket: Socket, { gapMs = 60, isChunked = false, path, pieces }: Sending) {
  let broke = false;
  let text = '';
  socket.on('error', () => (broke = true));
  const over = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  const piece = Buffer.alloc(64 * kibibyte, ' ');
  const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${pieces * piece.length}`;
  socket.pause();
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n`);
  let written = 0;
  for (; written < pieces && !socket.destroyed; written += 1) {
    if (isChunked) socket.write(`${piece.length.toString(16)}\r\n`);
    socket.write(piece);
    if (isChunked) socket.write('\r\n');
    await sleep(gapMs);
  }
  if (isChunked) socket.write('0\r\n\r\n');
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (/\{"error":"[a-z-]+"\}$/.test(text)) resolve();
    });
  });
  socket.resume();
  await Promise.race([answered, over]);
  return { status: Number(text.slice(9, 12)), isWhole: text.endsWith('"}'), broke, written };
}

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/1.1 over TLS', true],
])('%s', (_name, withTls) => {
  let port: number;
  beforeEach(async () => {
    port = await listening(withTls);
  });

  // Longer than any short grace: one second and a half of sending.
  test.each([
    ['too long', { path: '/v1/recovery/start', pieces: 25 }, 413],
    ['without a session', { path: '/v1/items', pieces: 25 }, 401],
    ['without a session, of unannounced length', { path: '/v1/items', pieces: 25, isChunked: true }, 401],
    ['for nothing that is there, of unannounced length', { path: '/v1/nothing', pieces: 25, isChunked: true }, 404],
    ['of unannounced length that becomes too long', { path: '/v1/recovery/start', pieces: 25, isChunked: true }, 413],
  ] as const)('a body %s: its sender finishes and sees the answer', async (_what, sending, status) => {
    const answer = await sendThenRead(await open(port, withTls), sending);
    expect(answer).toEqual({ status, isWhole: true, broke: false, written: sending.pieces });
  });
});

test('more of a body than the limit of bytes is not read: the connection is cut', async () => {
  const port = await listening(false, { bytes: 512 * kibibyte, totalMs: 600_000, idleMs: 600_000 });
  const within = await sendThenRead(await open(port, false), { path: '/v1/items', pieces: 6, gapMs: 1 });
  expect(within).toMatchObject({ status: 401, broke: false, written: 6 });
  const socket = await open(port, false);
  const beyond = await sendThenRead(socket, { path: '/v1/items', pieces: 600, gapMs: 1 });
  expect(beyond.written).toBeLessThan(600);
});

test.each([
  ['that stands still', { ...usualRest, idleMs: 300 }],
  ['that never ends', { ...usualRest, totalMs: 300 }],
])('the rest of a body %s is not waited for', { timeout: 30_000 }, async (_name, rest) => {
  const port = await listening(false, rest);
  const socket = await open(port, false);
  const closed = new Promise<boolean>((resolve) => void socket.once('close', resolve));
  socket.on('error', () => undefined).resume();
  socket.write('POST /v1/items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\nab');
  const dripping = setInterval(() => socket.write('a'.repeat(200)), 50);
  onTestFinished(() => clearInterval(dripping));
  if (rest.idleMs < rest.totalMs) clearInterval(dripping);
  await expect(closed).resolves.toBeDefined();
});

test('a body that goes on slowly is read to its end behind its answer, as long as each piece comes in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let arrived = 0;
  const over = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    endUnlessRead(request, response, { ...usualRest, idleMs: 5_000, totalMs: 30_000 });
    request.once('end', () => over.resolve('read')).once('close', () => over.resolve('cut'));
    response.end('no');
    request.on('data', (piece: Buffer) => (arrived += piece.length));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const socket = await open((server.address() as AddressInfo).port, false);
  socket.on('error', () => undefined).resume();
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\na');
  for (const [index, piece] of ['b', 'c', 'd'].entries()) {
    await expect.poll(() => arrived).toBe(index + 1);
    vi.advanceTimersByTime(4_000);
    socket.write(piece);
  }
  expect(await over.promise).toBe('read');
});

test('two hundred tiny chunks behind an answer are read to their end, ten thousand cut the connection', async () => {
  // Neither length nor time ends it.
  const port = await listening(false, { ...usualRest, totalMs: 600_000, idleMs: 600_000 });
  const sendPieces = async (pieces: number) => {
    const socket = await open(port, false);
    const seen = { text: '', broke: false };
    const over = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    socket.on('error', () => (seen.broke = true)).on('data', (data: Buffer) => (seen.text += data.toString('latin1')));
    // While it is not read, the end of the answer is not the end of what is sent.
    socket.pause();
    socket.write('POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write('1\r\na\r\n'.repeat(pieces));
    return { socket, seen, over };
  };
  const few = await sendPieces(200);
  await sleep(200);
  few.socket.write('0\r\n\r\n');
  few.socket.resume();
  await few.over;
  expect(few.seen).toEqual({ text: expect.stringMatching(/ 404 .*"}$/s), broke: false });
  const many = await sendPieces(10_000);
  many.socket.resume();
  await many.over;
});

test('a body that comes in thousands of tiny chunks is refused, and the calls that follow on other connections are read', async () => {
  const port = await listening(false);
  const send = async (chunks: readonly string[]) => {
    const socket = await open(port, false);
    let text = '';
    socket.on('error', () => undefined).on('data', (data: Buffer) => (text += data.toString('latin1')));
    const over = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    const head =
      'POST /v1/recovery/start HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n';
    socket.write(`${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`);
    socket.write(chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('') + '0\r\n\r\n');
    await over;
    return [text.slice(9, 12), /\{"error":"([a-z-]+)"\}$/.exec(text)?.[1]];
  };
  const body = JSON.stringify({ format: 1, nameTag: 'A'.repeat(43) });
  // Each flooded parser is used again by a later connection.
  for (let round = 0; round < 3; round += 1) {
    expect(await send(Array<string>(10_000).fill(' '))).toEqual(['413', 'too-large']);
    const whole = await send([body]);
    expect(whole).not.toContain('too-large');
    expect(await send(body.split(''))).toEqual(whole);
  }
});

test('a tunnel that is asked for, alone or behind a flood of chunks, leaves the bodies of other connections as they are', async () => {
  const port = await listening(false);
  const tunnel = 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n';
  const chunks = `${'1\r\n \r\n'.repeat(2_000)}0\r\n\r\n`;
  const head =
    'POST /v1/recovery/start HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n';
  const chunked = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const body = JSON.stringify({ format: 1, nameTag: 'A'.repeat(43) });
  const answerTo = async (bytes: string) => {
    const socket = await open(port, false);
    let text = '';
    socket.on('error', () => undefined).on('data', (data: Buffer) => (text += data.toString('latin1')));
    const over = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    socket.write(bytes);
    await over;
    return text.slice(9, 12);
  };
  const whole = () => answerTo(`${head}${chunked}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
  const usual = await whole();
  expect(usual).not.toBe('413');
  for (const bytes of [tunnel, `${head.replace('Connection: close\r\n', '')}${chunked}${chunks}${tunnel}`]) {
    // It is held open, so that its end puts nothing in order.
    const held = await open(port, false);
    held.on('error', () => undefined).pause();
    held.write(bytes);
    await sleep(100);
    for (let call = 0; call < 4; call += 1) {
      expect(await whole()).toBe(usual);
      expect(await answerTo(`${head}${chunked}${chunks}`)).toBe('413');
    }
  }
});

test('a kept connection answers the next call behind a body that was dropped', async () => {
  const port = await listening(false);
  const socket = await open(port, false);
  expect(await sendThenRead(socket, { path: '/v1/items', pieces: 14 })).toMatchObject({ status: 401 });
  expect(await sendThenRead(socket, { path: '/v1/items', pieces: 4 })).toMatchObject({ status: 401, broke: false });
});

test.each([
  ['too long', '/v1/recovery/start', 413],
  ['without a session', '/v1/items', 401],
])('HTTP/2: a body %s: its sender sees the answer, and the connection goes on', async (_what, path, status) => {
  const port = await listening(true);
  const session = connectHttp2(`https://localhost:${port}`, { ca: cert });
  onTestFinished(() => session.destroy());
  const send = async (pieces: number) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' });
    const seen = { status: 0, text: '', code: -1 };
    stream.setEncoding('utf8');
    stream.on('response', (headers) => (seen.status = headers[':status'] ?? 0));
    stream.on('data', (text: string) => (seen.text += text));
    stream.on('error', () => undefined);
    const over = new Promise<void>((resolve) => void stream.once('close', () => resolve()));
    for (let index = 0; index < pieces && stream.writable; index += 1) {
      stream.write(Buffer.alloc(64 * kibibyte, ' '));
      await sleep(20);
    }
    stream.end();
    await over;
    return { ...seen, code: stream.rstCode };
  };
  for (let index = 0; index < 2; index += 1) {
    const answer = await send(25);
    expect([answer.status, answer.code]).toEqual([status, 0]);
    expect(answer.text).toMatch(/^\{"error":"[a-z-]+"\}$/);
  }
});

test('HTTP/2: two thousand tiny pieces behind an answer are read to their end, ten thousand end their session', async () => {
  // Neither length nor time ends it.
  const port = await listening(true, { ...usualRest, totalMs: 600_000, idleMs: 600_000 });
  const send = (pieces: number, ...behind: readonly Uint8Array[]) => {
    const options = { port, host: '127.0.0.1', ca: cert, servername: 'localhost', ALPNProtocols: ['h2'] };
    const socket = connectTls(options);
    onTestFinished(() => void socket.destroy());
    let got = Buffer.alloc(0);
    socket.on('error', () => undefined).on('data', (data: Buffer) => (got = Buffer.concat([got, data])));
    const tiny = Array.from({ length: pieces }, () => encodeFrame('data', 0, 1, Buffer.from('a')));
    const call = encodeFrame('headers', 0x4, 1, getHead('/v1/nothing'));
    socket.write(Buffer.concat([preface, call, ...tiny, ...behind]));
    /** The types of the frames that came (RFC 9113, section 6). */
    return () => {
      const types: number[] = [];
      for (let at = 0; at + 9 <= got.length; at += 9 + got.readUIntBE(at, 3)) types.push(got.readUInt8(at + 3));
      return types;
    };
  };
  const [answerBody, reset, ping, goAway] = [0, 3, 6, 7];
  const many = send(10_000);
  await expect.poll(many).toContain(goAway);
  const few = send(2_000, encodeFrame('data', 0x1, 1), encodeFrame('ping', 0, 0, Buffer.alloc(8)));
  await expect.poll(few).toEqual(expect.arrayContaining([answerBody, ping]));
  expect(few()).not.toContain(reset);
  expect(few()).not.toContain(goAway);
});
