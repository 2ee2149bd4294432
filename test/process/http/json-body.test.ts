import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { isJsonType, readJsonBody } from '../../../process/http/json-body.ts';

const maximumLength = 1_000;

/** A server that answers with the length of a body, or why it was not read. */
async function listen(): Promise<{ readonly port: number; readonly outcomes: string[] }> {
  const outcomes: string[] = [];
  const server = createServer((request, response) => {
    const refuse = (why: string) => new Error(why);
    void readJsonBody(request, maximumLength, refuse)
      .then(
        (body) => String(body.length),
        (error: unknown) => (error as Error).message,
      )
      .then((outcome) => {
        outcomes.push(outcome);
        response.end(outcome);
      });
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, outcomes };
}

test('readJsonBody: reads a body up to its limit, and refuses one byte more, announced or not', async () => {
  const { port } = await listen();
  const post = async (length: number, isAnnounced: boolean, type = 'application/json') => {
    const bytes = new Uint8Array(length);
    const body = isAnnounced ? bytes : new Blob([bytes]).stream();
    const call = { method: 'POST', headers: { 'content-type': type }, body, duplex: 'half' };
    return (await fetch(`http://127.0.0.1:${port}`, call)).text();
  };
  for (const isAnnounced of [true, false]) {
    expect(await post(1_000, isAnnounced)).toBe('1000');
    expect(await post(1_001, isAnnounced)).toBe('too-large');
    expect(await post(1_000_000, isAnnounced)).toBe('too-large');
  }
  expect(await post(10, true, 'text/plain')).toBe('wrong-media-type');
});

test('readJsonBody: a body that is cut is a bad request', async () => {
  const { port, outcomes } = await listen();
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"');
  socket.end();
  await expect.poll(() => outcomes).toEqual(['bad-request']);
});

test('isJsonType: takes JSON with or without its one charset, and nothing that a form could send or that is packed', () => {
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
  ]) {
    expect([type, isJsonType(type, undefined)]).toEqual([type, true]);
  }
  for (const type of [
    '',
    'text/plain',
    'application/jsonp',
    'application/json; charset=latin1',
    'application/json, text/plain',
  ]) {
    expect([type, isJsonType(type, undefined)]).toEqual([type, false]);
  }
  expect([isJsonType(null, null), isJsonType('application/json', 'gzip'), isJsonType('application/json', '')]).toEqual([
    false,
    false,
    false,
  ]);
});
