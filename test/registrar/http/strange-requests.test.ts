import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { writeCertificate } from '../../parts/network/certificate-files.ts';
import { findFreePort } from '../../parts/network/free-port.ts';
import { TestRegistrar } from '../../parts/evidence/modal/test-registrar.ts';
import { waitFor } from '../../parts/relay/running-sotto.ts';

/* No worker and no auditor sends these: every answer has a fixed body and the registrar's headers, whoever gives it. */

let registrar: TestRegistrar;
beforeAll(async () => {
  registrar = await TestRegistrar.start();
});
afterAll(() => registrar.stop());

function open(port = Number(new URL(registrar.url).port), localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  return socket.setEncoding('latin1');
}

/** Everything that comes back for these bytes, until the registrar ends the connection. */
async function answersTo(text: string, socket: Socket = open()): Promise<string> {
  let got = '';
  socket.on('error', () => undefined).on('data', (part: string) => (got += part));
  socket.write(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  return got;
}

const statusesOf = (answers: string) =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Status and code of the only answer, which has a fixed body and the headers, and ends its connection. */
function refusalIn(answers: string): readonly [status: number | undefined, code: string] {
  const [head = '', body = ''] = answers.split('\r\n\r\n');
  for (const header of [
    'content-type: application/json',
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ]) {
    expect(head.toLowerCase().split('\r\n')).toContain(header);
  }
  const { error, ...more } = JSON.parse(body) as { error: string };
  expect([statusesOf(answers).length, more]).toEqual([1, {}]);
  return [statusesOf(answers)[0], error];
}

const host = 'Host: localhost\r\n';
const last = 'Connection: close\r\n';
const tinyChunks = (body: string) =>
  `Transfer-Encoding: chunked\r\n\r\n${body
    .split('')
    .map((byte) => `1\r\n${byte}\r\n`)
    .join('')}0\r\n\r\n`;
const post = `POST /v1/challenge HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;

test.each<readonly [name: string, request: string]>([
  ['no request line', 'hello\r\n\r\n'],
  ['TLS to the plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['an unknown method', `BREW /checkpoint HTTP/1.1\r\n${host}\r\n`],
  ['two Host headers', `GET /checkpoint HTTP/1.1\r\n${host}Host: evil\r\n\r\n`],
  ['one Host header twice', `GET /checkpoint HTTP/1.1\r\n${host}${host}\r\n`],
  ['no Host header', 'GET /checkpoint HTTP/1.1\r\n\r\n'],
  ['a length and chunks', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks and a length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
  ['two lengths', `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`],
  ['a coding that is not chunked', `${post}Transfer-Encoding: gzip\r\n\r\n`],
  ['a bad chunk', `${post}Transfer-Encoding: chunked\r\n\r\n3\r\n{"f\r\nzz\r\n`],
  ['thousands of tiny chunks', `${post}${tinyChunks(' '.repeat(5_000))}`],
  ['another host in the target', `GET http://evil/checkpoint HTTP/1.1\r\n${host}\r\n`],
  ['its own host in the target', `GET http://localhost/checkpoint HTTP/1.1\r\n${host}\r\n`],
  ['a target of all', `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
  ['a tunnel', `CONNECT evil:443 HTTP/1.1\r\n${host}\r\n`],
  ['a NUL in the path', `GET /check\0point HTTP/1.1\r\n${host}\r\n`],
  ['a NUL in a header', `GET /checkpoint HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`],
  ['a folded header', `GET /checkpoint HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`],
  ['an unknown expectation', `GET /checkpoint HTTP/1.1\r\n${host}Expect: tea\r\n\r\n`],
])('refuses %s', async (_name, request) => {
  expect(refusalIn(await answersTo(request))).toEqual([400, 'bad-request']);
});

test.each<readonly [name: string, request: string]>([
  ['more headers than anyone needs', `GET /checkpoint HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(100)}\r\n`],
  ['a second Host behind many headers', `GET /checkpoint HTTP/1.1\r\n${host}${'a:\r\n'.repeat(900)}${host}\r\n`],
  ['an overlong target', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`],
  ['a long header', `GET /checkpoint HTTP/1.1\r\n${host}a: ${'b'.repeat(20_000)}\r\n\r\n`],
  ['a flood of headers', `GET /checkpoint HTTP/1.1\r\n${host}${'a: bcdefg\r\n'.repeat(5_000)}\r\n`],
])('says that it is too much: %s', async (_name, request) => {
  expect(refusalIn(await answersTo(request))).toEqual([431, 'bad-request']);
});

test.each<readonly [name: string, target: string]>([
  ['half an escape', '/%zz'],
  ['half an escape below the log', '/tile/%'],
  ['an escaped NUL', '/checkpoint%00'],
  ['an escaped letter', '/%63heckpoint'],
  ['a fragment', '/checkpoint#a'],
  ['a long target', `/tile/entries/${'x001/'.repeat(3_000)}000`],
  ['two slashes', '//evil/checkpoint'],
])('%s is no path', async (_name, target) => {
  expect(refusalIn(await answersTo(`GET ${target} HTTP/1.1\r\n${host}${last}\r\n`))).toEqual([404, 'not-found']);
});

test.each<readonly [name: string, request: string]>([
  ['one Host', `GET /checkpoint HTTP/1.1\r\n${host}${last}\r\n`],
  ['as many headers as a proxy may add', `GET /checkpoint HTTP/1.1\r\n${host}${last}${'a: b\r\n'.repeat(98)}\r\n`],
  ['HTTP/1.0 without one', 'GET /checkpoint HTTP/1.0\r\n\r\n'],
  ['an offer to upgrade', `GET /checkpoint HTTP/1.1\r\n${host}Connection: close, upgrade\r\nUpgrade: h2c\r\n\r\n`],
  ['a length', `${post}${last}Content-Length: 12\r\n\r\n{"format":1}`],
  ['chunks', `${post}${last}Transfer-Encoding: chunked\r\n\r\n3\r\n{"f\r\n9\r\normat":1}\r\n0\r\n\r\n`],
  ['hundreds of tiny chunks', `${post}${last}${tinyChunks(' '.repeat(400) + '{"format":1}')}`],
  ['tiny chunks again', `${post}${last}${tinyChunks('{"format":1}')}`],
])('answers a call with %s', async (_name, request) => {
  expect(statusesOf(await answersTo(request))).toEqual([200]);
});

test('answers an expectation that it knows', async () => {
  const answers = await answersTo(`${post}${last}Expect: 100-continue\r\nContent-Length: 12\r\n\r\n{"format":1}`);
  expect(statusesOf(answers)).toEqual([100, 200]);
});

test('the calls before something unreadable keep their own answers', async () => {
  const good = `GET /checkpoint HTTP/1.1\r\n${host}\r\n`;
  const answers = await answersTo(`${good}${good}${post}Content-Length: 12\r\n\r\n{"format":1}hello\r\n\r\n`);
  expect(statusesOf(answers)).toEqual([200, 200, 200, 400]);
  expect(statusesOf(await answersTo(`${good}CONNECT evil:443 HTTP/1.1\r\n${host}\r\n`))).toEqual([200, 400]);
});

test('a call that has its answer gets no second one for a body that breaks', async () => {
  const socket = open();
  let got = '';
  socket.on('error', () => undefined).on('data', (part: string) => (got += part));
  socket.write(`POST /v1/challenge HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`);
  await expect.poll(() => statusesOf(got), { timeout: 20_000 }).toEqual([415]);
  socket.write('zz\r\n');
  await once(socket, 'close');
  expect(statusesOf(got)).toEqual([415]);
});

test('an answer to something unreadable ends its connection, also for one who keeps it open', async () => {
  const socket = connect({ port: Number(new URL(registrar.url).port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  expect(refusalIn(await endOf(socket, 'hello\r\n\r\n'))).toEqual([400, 'bad-request']);
  // From here on it only writes; the registrar takes nothing of it.
  socket.on('error', () => undefined);
  await expect.poll(() => (socket.write('more'), socket.destroyed), { timeout: 60_000, interval: 100 }).toBe(true);
});

async function endOf(socket: Socket, text: string): Promise<string> {
  let got = '';
  socket.setEncoding('latin1').on('data', (part: string) => (got += part));
  socket.write(text);
  await once(socket, 'end');
  return got;
}

describe('over TLS', () => {
  test('over TLS: bytes that are no HTTP are answered inside, bytes that are no TLS not at all', async () => {
    const { cert, files } = await writeCertificate();
    const own = await TestRegistrar.start();
    onTestFinished(() => own.stop());
    await own.kill();
    const port = await findFreePort();
    // Its own check of health speaks http, so this run is looked at over https alone.
    void own
      .run({ REGISTRAR_TLS_CERT: files.certFile, REGISTRAR_TLS_KEY: files.keyFile, REGISTRAR_PORT: String(port) })
      .catch(() => undefined);
    const isUp = () => own.printed.includes(`"event":"listening","port":${port}`);
    await waitFor(
      async () => isUp(),
      60_000,
      () => own.printed,
    );
    const secure = () => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: cert, servername: 'localhost' });
      onTestFinished(() => void socket.destroy());
      return socket.setEncoding('latin1');
    };
    expect(refusalIn(await answersTo('hello\r\n\r\n', secure()))).toEqual([400, 'bad-request']);
    expect(statusesOf(await answersTo(`GET /checkpoint HTTP/1.1\r\n${host}${last}\r\n`, secure()))).toEqual([200]);
    expect(await answersTo('GET /checkpoint HTTP/1.1\r\n\r\n', open(port))).not.toContain('HTTP');
  });
});

test('a crowd of calls of one address at one moment is cut; a hundred behind each other of another are answered', async () => {
  const call = `GET /checkpoint HTTP/1.1\r\n${host}\r\n`;
  const calls = (count: number) => `${call.repeat(count - 1)}GET /checkpoint HTTP/1.1\r\n${host}${last}\r\n`;
  const own = await TestRegistrar.start();
  onTestFinished(() => {
    own.thaw();
    return own.stop();
  });
  const port = Number(new URL(own.url).port);
  const sockets = Array.from({ length: 50 }, () => open(port, '127.0.0.21'));
  const other = open(port, '127.0.1.21');
  // Each is accepted and kept before it brings many.
  const accepted = [other, ...sockets].map((socket) => {
    socket.write(call);
    return once(socket, 'data');
  });
  await Promise.all(accepted);
  own.freeze();
  const crowd = sockets.map((socket) => answersTo(calls(1_000), socket).catch(() => ''));
  const others = answersTo(calls(100), other);
  await expect.poll(() => [other, ...sockets].every(({ writableLength }) => writableLength === 0)).toBe(true);
  own.thaw();
  expect(statusesOf(await others)).toEqual(Array.from({ length: 100 }, () => 200));
  const whole = (await Promise.all(crowd)).filter((answers) => statusesOf(answers).length === 1_000);
  expect(whole.length).toBeLessThan(5);
});

describe('a flood', () => {
  const from = (localAddress: string) => open(undefined, localAddress);
  const lines = (route: string) => registrar.printed.split('\n').filter((line) => line.includes(`"route":"${route}"`));
  const atOnce = 1_000;
  /** Sends as many calls as may come at once, again and again once they are answered. */
  const flood = async (request: string, count: number, socket: Socket) => {
    let answered = 0;
    socket.on('data', (part: string) => (answered += statusesOf(part).length));
    const answers = answersTo('', socket);
    for (let sent = 0; sent < count;) {
      const more = Math.min(atOnce, count - sent);
      socket.write(`${request} HTTP/1.1\r\n${host}\r\n`.repeat(more));
      sent += more;
      // A part that ends within a line hides its answer.
      await expect.poll(() => answered, { interval: 5 }).toBeGreaterThan(sent - atOnce / 2);
    }
    socket.write(`GET /last HTTP/1.1\r\n${host}${last}\r\n`);
    return answers;
  };

  test('a flood of unknown paths is limited for its address alone, and writes a few lines', async () => {
    const statuses = statusesOf(await flood('GET /nothing', 9_000, from('127.0.0.11')));
    expect(statuses).toHaveLength(9_001);
    expect(new Set(statuses)).toEqual(new Set([404, 429]));
    expect(statusesOf(await flood('GET /nothing', 1, from('127.0.0.12')))).toEqual([404, 404]);
    expect(lines('none').some((line) => line.includes('"status":404,"refusal":"not-found"'))).toBe(true);
    expect(lines('none').some((line) => line.includes('"status":429,"refusal":"too-many-requests"'))).toBe(true);
    expect(lines('none').length).toBeLessThan(20);
  });

  test('a flood of wrong methods is limited for its address alone, and writes a few lines', async () => {
    const statuses = statusesOf(await flood('GET /v1/renew', 2_000, from('127.0.0.13'))).slice(0, -1);
    expect(new Set(statuses)).toEqual(new Set([405, 429]));
    expect(statusesOf(await flood('GET /v1/renew', 1, from('127.0.0.14')))).toEqual([405, 404]);
    expect(lines('renew').length).toBeLessThan(20);
  });

  test('a flood of unreadable bytes counts too: at its end there is no answer, and others have theirs', async () => {
    await flood('GET /nothing', 9_000, from('127.0.0.15'));
    // Many at once: a few calls a second come back meanwhile.
    const tryMany = () => Promise.all(Array.from({ length: 60 }, () => answersTo('hello\r\n\r\n', from('127.0.0.15'))));
    await expect.poll(tryMany, { timeout: 60_000 }).toContain('');
    expect(refusalIn(await answersTo('hello\r\n\r\n', from('127.0.0.16')))).toEqual([400, 'bad-request']);
    expect(lines('unreadable').length).toBeLessThan(20);
  });

  test('a flood of calls keeps the lines of given statements', async () => {
    const before = lines('register').length;
    for (let count = 0; count < 3; count++) expect((await registrar.register()).status).toBe(200);
    await expect.poll(() => lines('register').length, { timeout: 20_000 }).toBe(before + 3);
  });
});
