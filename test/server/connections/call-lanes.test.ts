import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import type { RelayApp } from '../../../server/api/app.ts';
import { CallLanes } from '../../../server/connections/call-lanes.ts';
import { type Network, networksOf } from '../../../process/http/networks.ts';
import { listen } from '../../../server/connections/listener.ts';
import { writeCertificate } from '../../parts/network/certificate-files.ts';
import { encodeFrame, getHead, preface } from '../../parts/users/worst/worst-floods.ts';

const turnOfTheLoop = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A call that goes on. */
const kept = { isOver: () => false, onOver: () => undefined };

function work(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test('CallLanes: calls of one connection keep their order, and another connection waits for one of them', async () => {
  const lanes = new CallLanes(500);
  const [many, one] = [{}, {}];
  const begun: string[] = [];
  const call = (name: string) => ({ ...kept, begin: () => void begun.push(name) });
  for (let number = 0; number < 5; number++) expect(lanes.enter(many, call(`many ${number}`), [])).toBe(true);
  expect(lanes.enter(one, call('one'), [])).toBe(true);
  // Behind the packet that brought them.
  expect(begun).toEqual([]);
  for (let turn = 0; turn < 10; turn++) await turnOfTheLoop();
  expect(begun).toEqual(['many 0', 'one', 'many 1', 'many 2', 'many 3', 'many 4']);
});

test('CallLanes: what takes long leaves others their turn of the loop between one call and the next', async () => {
  const lanes = new CallLanes(500);
  let begun = 0;
  for (let number = 0; number < 20; number++) {
    lanes.enter(
      {},
      {
        ...kept,
        begin() {
          begun += 1;
          work(6);
        },
      },
      [],
    );
  }
  const seen = new Set<number>();
  while (begun < 20) {
    await turnOfTheLoop();
    seen.add(begun);
  }
  expect(seen.size).toBeGreaterThanOrEqual(20);
});

test('CallLanes: what a call does behind its beginning counts as its work', async () => {
  const lanes = new CallLanes(500);
  let done = 0;
  const begin = async () => {
    for (let step = 0; step < 10; step++) await Promise.resolve();
    work(6);
    done += 1;
  };
  for (let number = 0; number < 20; number++) lanes.enter({}, { ...kept, begin: () => void begin() }, []);
  const seen = new Set<number>();
  while (done < 20) {
    await turnOfTheLoop();
    seen.add(done);
  }
  expect(seen.size).toBeGreaterThanOrEqual(20);
});

test('CallLanes: where an address brings too many calls at once, its connections with several are cut, and no others', async () => {
  const lanes = new CallLanes(500);
  const [own, other, proxys] = [networksOf('192.0.2.1'), networksOf('198.51.100.1'), []];
  const over: (() => void)[] = [];
  const call = { ...kept, onOver: (listener: () => void) => void over.push(listener), begin: () => undefined };
  const send = (connection: object, networks: readonly Network[], count: number) =>
    Array.from({ length: count }, () => lanes.enter(connection, call, networks)).filter(Boolean).length;
  // A connection that waits for each answer is never one too many.
  for (let number = 0; number < 500; number++) expect(send({}, own, 1)).toBe(1);
  expect(send({}, own, 1)).toBe(1);
  expect(send({}, own, 10)).toBe(2);
  expect(send({}, other, 10)).toBe(10);
  expect(send({}, proxys, 200)).toBe(200);
  await turnOfTheLoop();
  expect(send({}, own, 10)).toBe(10);
  // Calls that are over at once count in their turn all the same.
  await turnOfTheLoop();
  const resetting = {};
  for (let number = 0; number < 600; number++) {
    send(resetting, own, 1);
    over.pop()?.();
  }
  expect(send(resetting, own, 1)).toBe(0);
});

test('CallLanes: where an address leaves too many calls open, its connections with several are cut, until some are over', async () => {
  const lanes = new CallLanes(10);
  const own = networksOf('2001:db8::1');
  const over: (() => void)[] = [];
  const call = { ...kept, onOver: (listener: () => void) => void over.push(listener), begin: () => undefined };
  const send = (connection: object, networks = own) => lanes.enter(connection, call, networks);
  const last = {};
  for (let number = 0; number < 40; number++) expect(send(number < 37 ? {} : last)).toBe(true);
  await turnOfTheLoop();
  expect(send(last)).toBe(false);
  expect(send({}, networksOf('2001:db8:1::1'))).toBe(true);
  expect(send({})).toBe(true);
  for (const end of over.splice(0)) end();
  for (let number = 0; number < 3; number++) expect(send(last)).toBe(true);
});

test('CallLanes: a call that was taken back never begins, and gives its place back', async () => {
  const lanes = new CallLanes(500);
  const connection = {};
  let begun = 0;
  const call = { ...kept, isOver: () => true, begin: () => void (begun += 1) };
  for (let round = 0; round < 3; round++) {
    for (let number = 0; number < 200; number++) expect(lanes.enter(connection, call, [])).toBe(true);
    expect(lanes.enter(connection, call, [])).toBe(false);
    for (let turn = 0; turn < 300; turn++) await turnOfTheLoop();
  }
  expect(begun).toBe(0);
});

test('HTTP/1.1: a hundred calls behind each other are answered in order; thousands end their connection and no other', async () => {
  const app: RelayApp = new Hono();
  let answered = 0;
  app.get('/number/:number', (c) => {
    answered += 1;
    return new Response(`<${c.req.param('number')}>`);
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => listening.close(0));
  const send = async (count: number) => {
    const socket = connect(listening.port, '127.0.0.1');
    socket.on('error', () => undefined);
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    const calls = Array.from({ length: count }, (_, number) => {
      const last = number === count - 1 ? 'connection: close\r\n' : '';
      return `GET /number/${number} HTTP/1.1\r\nhost: localhost\r\n${last}\r\n`;
    });
    socket.write(calls.join(''));
    await new Promise((resolve) => void socket.once('close', resolve));
    return [...text.matchAll(/<(\d+)>/g)].map(([, number]) => Number(number));
  };
  expect(await send(100)).toEqual(Array.from({ length: 100 }, (_, number) => number));
  answered = 0;
  const [flood, other] = await Promise.all([send(20_000), send(3)]);
  expect(flood.length).toBeLessThan(2_000);
  expect(other).toEqual([0, 1, 2]);
  expect(answered).toBeLessThan(2_000);
});

test('HTTP/1.1: a connection with more calls than have room is cut, one with fewer goes on', async () => {
  const app: RelayApp = new Hono();
  app.get('/', () => new Response('<ok>'));
  const listening = await listen(app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => listening.close(0));
  const send = (count: number) => {
    const socket = connect(listening.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const seen = { text: '', isCut: false };
    socket.on('error', () => undefined).on('close', () => (seen.isCut = true));
    socket.setEncoding('latin1').on('data', (piece: string) => (seen.text += piece));
    const call = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
    socket.write(call.repeat(count));
    return { seen, answers: () => seen.text.split('<ok>').length - 1, again: () => socket.write(call) };
  };
  const many = send(1_000);
  const few = send(100);
  await expect.poll(() => many.seen.isCut).toBe(true);
  await expect.poll(few.answers).toBe(100);
  few.again();
  await expect.poll(few.answers).toBe(101);
});

test('HTTP/2: of calls that are taken back in the packet that brings them none begins; one that stays is answered', async () => {
  const { cert, files: tls } = await writeCertificate();
  const app: RelayApp = new Hono();
  const begun: string[] = [];
  app.get('/:name', (c) => {
    begun.push(c.req.path);
    return new Response('ok');
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0, tls, isHttps: true });
  onTestFinished(() => listening.close(0));
  const options = { port: listening.port, host: '127.0.0.1', servername: 'localhost', ca: cert, ALPNProtocols: ['h2'] };
  const socket = connectTls(options);
  onTestFinished(() => void socket.destroy());
  const call = (number: number, path: string) => encodeFrame('headers', 0x5, 2 * number + 1, getHead(path));
  const takeBack = (number: number) => encodeFrame('reset', 0, 2 * number + 1, Buffer.of(0, 0, 0, 8));
  const taken = Array.from({ length: 100 }, (_, number) => [call(number, '/taken-back'), takeBack(number)]);
  socket.resume().write(Buffer.concat([preface, ...taken.flat(), call(100, '/stays')]));
  await expect.poll(() => begun).toContain('/stays');
  expect(begun).toEqual(['/stays']);
});
