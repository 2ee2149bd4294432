import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Hono } from 'hono';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RelayApp } from '../../../server/api/app.ts';
import { usualTimes } from '../../../server/connections/connections.ts';
import { listen, type Listening } from '../../../server/connections/listener.ts';
import { makeSelfSigned } from '../../parts/network/self-signed.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

/* Something that is no call comes behind calls on one connection: they keep their answers, and it gets one at most. */

const headMs = 1_000;
let held = Promise.withResolvers<void>();
/** Tells that a call waits for `held`. */
let asked = Promise.withResolvers<void>();

const app: RelayApp = new Hono();
// Answers for a body that broke, and nobody gets the answer.
app.onError((_error, c) => c.text('', 500));
app.all('/held', async (c) => {
  asked.resolve();
  await held.promise;
  return c.text('HELD.');
});
app.get('/fast', (c) => c.text('FAST.'));
app.post('/read', async (c) => c.text(`READ ${(await c.req.text()).length}.`));
app.post('/refused', (c) => c.text('REFUSED.', 413));
app.get('/stream', (c) => {
  asked.resolve();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('BEGUN.'));
      await held.promise;
      controller.enqueue(new TextEncoder().encode('ENDED.'));
      controller.close();
    },
  });
  return c.body(body);
});

const head = 'Host: localhost\r\n\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${head}`;
const chunked = (path: string) => `POST ${path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${head}`;

describe.each(['plain', 'TLS'] as const)('%s', (kind) => {
  let listening: Listening;
  beforeAll(async () => {
    const folder = await makeTemporaryFolder('tls');
    const files = { certFile: join(folder.path, 'cert.pem'), keyFile: join(folder.path, 'key.pem') };
    const { cert, key } = makeSelfSigned();
    await writeFile(files.certFile, cert);
    await writeFile(files.keyFile, key);
    const tls = kind === 'TLS' ? files : null;
    const settings = { host: '127.0.0.1', port: 0, tls, isHttps: tls !== null };
    listening = await listen(app, settings, { ...usualTimes, headMs, sweepMs: 100 });
    return async () => {
      await listening.close(0);
      await folder.remove();
    };
  });

  async function open(allowHalfOpen = false): Promise<{ socket: Socket; got: () => string; ended: Promise<unknown> }> {
    [held, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const to = { port: listening.port, host: '127.0.0.1', allowHalfOpen };
    const socket =
      kind === 'TLS' ? connectTls({ ...to, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : connect(to);
    onTestFinished(() => void socket.destroy());
    let received = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (received += piece));
    const ended = once(socket, 'end');
    await once(socket, kind === 'TLS' ? 'secureConnect' : 'connect');
    return { socket, got: () => received, ended };
  }

  /** Status and words of each answer, without what frames them. */
  const answersIn = (text: string) =>
    text.split(/(?=HTTP\/1\.1 \d{3} )/).map((answer) => {
      const words = answer.match(/[A-Z]+( \d+)?\.(?!\d)|bad-request/g) ?? [];
      return `${answer.slice(9, 12)} ${words.join('')}`;
    });

  test.each<readonly [what: string, sent: readonly string[], answers: readonly string[]]>([
    ['nonsense behind a call', [get('/held'), 'NONSENSE\r\n\r\n'], ['200 HELD.', '400 bad-request']],
    [
      'nonsense in one packet with two calls',
      [`${get('/held')}${get('/fast')}NONSENSE\r\n\r\n`],
      ['200 HELD.', '200 FAST.', '400 bad-request'],
    ],
    [
      'nonsense three times',
      [get('/held'), 'NONSENSE\r\n\r\n', 'MORE\r\n\r\n', '\0\0'],
      ['200 HELD.', '400 bad-request'],
    ],
    [
      'nonsense behind an answer that has begun',
      [get('/stream'), 'NONSENSE\r\n\r\n'],
      ['200 BEGUN.ENDED.', '400 bad-request'],
    ],
    [
      'a body that breaks behind a call',
      [get('/held'), `${chunked('/read')}ZZZ\r\n`],
      ['200 HELD.', '400 bad-request'],
    ],
    ['a tunnel behind a call', [get('/held'), `CONNECT evil:1 HTTP/1.1\r\n${head}`], ['200 HELD.', '400 bad-request']],
    [
      'HTTP/2 in clear behind a call',
      [get('/held'), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['200 HELD.', '400 bad-request'],
    ],
    ['a head without end behind a call', [get('/held'), 'GET /fast HT'], ['200 HELD.', '408 bad-request']],
    [
      'an expectation and nonsense',
      [get('/held'), `GET /fast HTTP/1.1\r\nExpect: x\r\n${head}NONSENSE\r\n\r\n`],
      ['200 HELD.', '400 bad-request'],
    ],
  ])('%s: each call has its own answer, in order', async (_what, [first = '', ...rest], answers) => {
    const { socket, got, ended } = await open();
    socket.write(first, 'latin1');
    await asked.promise;
    for (const text of rest) {
      socket.write(text, 'latin1');
      // Packets of their own: each is one more error.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(got()).not.toContain('bad-request');
    held.resolve();
    await ended;
    expect(answersIn(got())).toEqual(answers);
  });

  test('a body that breaks is answered once, also where its call was answered before', async () => {
    const read = await open();
    read.socket.write(chunked('/read'));
    read.socket.write('5\r\nabcde\r\nZZZ\r\n');
    await read.ended;
    expect(answersIn(read.got())).toEqual(['400 bad-request']);

    const refused = await open();
    refused.socket.write(chunked('/refused'));
    await once(refused.socket, 'data');
    refused.socket.write('ZZZ\r\n');
    await refused.ended;
    expect(answersIn(refused.got())).toEqual(['413 REFUSED.']);
  });

  test.each([
    ['nonsense', 'NONSENSE\r\n\r\n'],
    ['a tunnel', `CONNECT evil:1 HTTP/1.1\r\n${head}`],
    ['a head without end', 'GET /fast HT'],
  ])('%s: a peer that leaves its side open does not keep the connection', async (_what, text) => {
    const { socket, got, ended } = await open(true);
    socket.write(text);
    await ended;
    expect(answersIn(got())).toEqual([expect.stringContaining('bad-request')]);
    // A connection that is gone answers with a reset what it is sent.
    const over = new Promise((resolve) => void socket.on('error', () => undefined).on('close', resolve));
    const sending = setInterval(() => socket.write('x'), 50);
    onTestFinished(() => clearInterval(sending));
    await over;
  });
});

test('a peer that goes on sending what cannot be read is cut, though an answer is under way', async () => {
  const settings = { host: '127.0.0.1', port: 0, tls: null, isHttps: false };
  const listening = await listen(app, settings);
  onTestFinished(() => listening.close(0));
  [held, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const socket = connect(listening.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const over = new Promise((resolve) => void socket.on('error', () => undefined).on('close', resolve));
  socket.write(get('/held'));
  await asked.promise;
  const sendMore = () => socket.write('NONSENSE\r\n\r\n', () => !socket.destroyed && setImmediate(sendMore));
  sendMore();
  await expect(over).resolves.toBeDefined();
  held.resolve();
});
