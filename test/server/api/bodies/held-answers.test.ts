import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { BodyMemory } from '../../../../server/api/bodies/body-memory.ts';
import { HeldAnswers } from '../../../../server/api/bodies/held-answers.ts';
import { listen } from '../../../../server/connections/listener.ts';
import { quickSignUp, randomText, sealedHead } from '../../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';

const mebibyte = 1024 * 1024;
/** More than the buffers of two sockets. */
const large = 24 * mebibyte;

/** A connection that asks and, from the first byte of the answer on, reads nothing. */
async function askAndStop(port: number, request: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(request);
  await once(socket, 'data');
  socket.pause();
  return socket;
}

async function serve(answers: HeldAnswers): Promise<number> {
  const server = createServer((_, response) => answerWith(answers, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function answerWith(answers: HeldAnswers, response: ServerResponse): void {
  try {
    answers.hold('account', large, response);
    response.end(Buffer.alloc(large));
  } catch {
    response.writeHead(429).end();
  }
}

test('one account’s large answers that nobody reads are so many, and others are not kept from theirs', async () => {
  const relay = await openTestRelay('sqlite');
  const [alice, bob] = [await quickSignUp(relay, 'alice'), await quickSignUp(relay, 'bob')];
  const store = async ({ head, session }: typeof alice, length: number) => {
    const item = { id: randomText(16), version: 1, expiresAt: 0, flags: 0, body: randomText(length) };
    const batch = { expectedHead: toBase64Url(head.hash), head: sealedHead(2), prune: [], finishTurns: [] };
    const body = { format: 1, ...batch, items: [item] };
    expect((await relay.call('POST', '/v1/items', { token: session.accessToken, body })).status).toBe(200);
    return `/v1/items/${item.id}/body`;
  };
  const paths = { alice: await store(alice, 16 * mebibyte), bob: await store(bob, mebibyte) };
  const listener = await listen(relay.relay.app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => listener.close(100));
  const url = `http://127.0.0.1:${listener.port}`;
  const statusOf = async (path: string, { session }: typeof alice) => {
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${session.accessToken}` } });
    const { byteLength } = await answer.arrayBuffer();
    return [answer.status, byteLength, answer.headers.get('retry-after')];
  };
  const head = `GET ${paths.alice} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${alice.session.accessToken}\r\n\r\n`;
  const stuck: Socket[] = [];
  for (let i = 0; i < 8; i++) stuck.push(await askAndStop(listener.port, head));
  expect(await statusOf(paths.alice, alice)).toEqual([429, expect.any(Number), '2']);
  expect(await statusOf('/v1/account', alice)).toEqual([200, expect.any(Number), null]);
  expect(await statusOf(paths.bob, bob)).toEqual([200, mebibyte, null]);
  // Read to its end, or given up: both make room.
  stuck[0]!.resume();
  await until(async () => (await statusOf(paths.alice, alice))[0] === 200);
  stuck[1]!.destroy();
  await until(async () => (await statusOf(paths.alice, alice))[0] === 200);
});

test('answers that were asked for one behind another are given back when their connection is gone', async () => {
  const memory = new BodyMemory();
  const answers = new HeldAnswers(memory);
  const port = await serve(answers);
  const socket = await askAndStop(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(7));
  // The sixth is one too many for the account, and so is the seventh.
  await until(() => memory.bytes === 5 * (large - 64 * 1024));
  socket.destroy();
  await until(() => memory.bytes === 0);
  expect((await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer()).byteLength).toBe(large);
  await until(() => memory.bytes === 0);
});

test('HTTP/1.1: an answer that stands still is cut off, and one that is read is not', async () => {
  const answers = new HeldAnswers(new BodyMemory(), 300);
  const port = await serve(answers);
  const socket = await askAndStop(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  expect(answers.bytes).toBeGreaterThan(0);
  await until(() => answers.bytes === 0);
  socket.resume();
  await once(socket, 'close');
  expect(socket.bytesRead).toBeLessThan(large);
  const patient = await serve(new HeldAnswers());
  expect((await (await fetch(`http://127.0.0.1:${patient}/`)).arrayBuffer()).byteLength).toBe(large);
});

test('HTTP/2: an answer that stands still is cut off, and one that is read is not', async () => {
  let answers = new HeldAnswers(new BodyMemory(), 300);
  const server = createHttp2Server((_, response) => answerWith(answers, response as unknown as ServerResponse));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const ask = () => {
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => session.destroy());
    return session.request({ ':path': '/' }).on('error', () => undefined);
  };

  const stuck = ask();
  await once(stuck, 'response');
  expect(answers.bytes).toBeGreaterThan(0);
  await until(() => answers.bytes === 0);

  answers = new HeldAnswers();
  let length = 0;
  const read = ask().on('data', (piece: Buffer) => (length += piece.length));
  await once(read, 'end');
  expect(length).toBe(large);
  await until(() => answers.bytes === 0);
});

test('a slow client is waited for longer than it waits itself: the relay does not see each piece leave', async () => {
  const held = new HeldAnswers();
  const deadlines: number[] = [];
  const server = createServer((_, response) => {
    for (const length of [1_000, large]) {
      held.hold('account', length, response);
      // The socket's own timeout, 0 without one.
      deadlines.push(response.socket?.timeout ?? 0);
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).arrayBuffer();
  expect(deadlines).toEqual([0, 150_000]);
  const client = readFileSync('client/vault/relay/relay-client.ts', 'utf8');
  const own = [...client.matchAll(/timeoutMs: ([\d_]+)/g)].map(([, ms = '']) => Number(ms.replaceAll('_', '')));
  expect(own).toContain(120_000);
  expect(Math.max(...own)).toBeLessThan(150_000);
  const page = readFileSync('server/OPERATING.md', 'utf8');
  expect(page).toContain('A large answer of which nothing is seen to go out for 150 seconds is cut off.');
});
