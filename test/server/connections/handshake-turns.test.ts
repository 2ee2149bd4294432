import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import { HandshakeTurns } from '../../../server/connections/handshake-turns.ts';
import { listen } from '../../../server/connections/listener.ts';
import { writeCertificate } from '../../parts/network/certificate-files.ts';
import { makeSelfSigned } from '../../parts/network/self-signed.ts';

async function open(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The first bytes of a TLS client. */
async function recordGreeting(): Promise<Buffer> {
  const listener = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const client = connectTls({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
  });
  client.on('error', () => undefined);
  const [socket] = (await once(listener, 'connection')) as [Socket];
  const [greeting] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  return greeting;
}

test('listen: greetings on many connections at one moment are answered in many turns of the event loop', async () => {
  const { cert, files: tls } = await writeCertificate(makeSelfSigned(1, undefined, 'rsa'));
  const listening = await listen(new Hono(), { host: '127.0.0.1', port: 0, tls, isHttps: true });
  onTestFinished(() => listening.close(0));
  const greeting = await recordGreeting();
  const sockets = await Promise.all(Array.from({ length: 200 }, () => open(listening.port)));
  // A connection is accepted in a turn of its own.
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => void setImmediate(resolve));
  const turns = new Set<number>();
  let turn = 0;
  let isOver = false;
  const count = () => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const answers = sockets.map(async (socket) => {
    await once(socket, 'data');
    turns.add(turn);
  });
  for (const socket of sockets) socket.write(greeting);
  await Promise.all(answers);
  isOver = true;
  expect(turns.size).toBeGreaterThan(5);
  // A client whose greeting comes in two pieces is one like others.
  const late = await open(listening.port);
  const client = connectTls({ socket: late, servername: 'localhost', ca: cert });
  await once(client, 'secureConnect');
  client.destroy();
});

test('HandshakeTurns: those of different addresses begin by turns; what is silent or goes away never does', async () => {
  const server = createSecureServer(makeSelfSigned());
  onTestFinished(() => void server.close());
  const begun: string[] = [];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    begun.push(socket.remoteAddress ?? '');
    socket.destroy();
  });
  new HandshakeTurns(server, 500);
  let accepted = 0;
  server.on('connection', () => (accepted += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const silent = await open(port);
  const gone = await open(port);
  gone.destroy();
  await once(silent.resume(), 'close');
  expect(begun).toEqual([]);
  const many = await Promise.all(Array.from({ length: 20 }, () => open(port)));
  const one = await open(port, '127.0.0.2');
  await expect.poll(() => accepted).toBe(23);
  for (const socket of [...many, one]) socket.write('greeting');
  await expect.poll(() => begun.length).toBe(21);
  expect(begun.indexOf('127.0.0.2')).toBeLessThan(20);
});
