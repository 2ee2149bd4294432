import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  decodeLiveRecord,
  type LiveRecord,
  LiveRecordSplitter,
} from '../../../crypto/protocol/messages/live-record.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { equalBytes, randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { HeldReply } from '../../../enclave-worker/turns/held-reply.ts';
import { LiveStream } from '../../../enclave-worker/turns/live-stream.ts';

/* A real response on a real socket, whose reader stops reading when a test says so. */

let server: Server;
let stream: LiveStream;
let socket: Socket;
let records: LiveRecord[];
let isReading: () => void;
/** The worker's end of the connection. */
let outgoing: Socket;

beforeEach(async () => {
  records = [];
  let connected: (made: LiveStream) => void;
  const made = new Promise<LiveStream>((resolve) => (connected = resolve));
  server = createServer({ highWaterMark: 16_384 }, (_request, response) => {
    // Without chunk lengths between the records, a bare socket can read them.
    response.useChunkedEncodingByDefault = false;
    connected(new LiveStream(randomBytes(16), response));
  });
  server.on('connection', (accepted) => (outgoing = accepted));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET /live HTTP/1.0\r\n\r\n');
  const splitter = new LiveRecordSplitter();
  let head = Buffer.alloc(0);
  let isBody = false;
  isReading = () =>
    socket.on('data', (chunk: Buffer) => {
      let body: Uint8Array = chunk;
      if (!isBody) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        isBody = true;
        body = head.subarray(end + 4);
      }
      for (const record of splitter.push(body)) records.push(decodeLiveRecord(record));
    });
  socket.on('error', () => {});
  stream = await made;
});

afterEach(async () => {
  socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function makeReply(): HeldReply {
  const ids = { turnId: randomBytes(16), transcriptId: randomBytes(16) };
  return new HeldReply({ ...ids, requestHash: randomBytes(32), header: randomBytes(99), frameLength: 1040 });
}

const of = (reply: HeldReply) => records.filter(({ turnId }) => equalBytes(turnId, reply.turnId));

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('LiveStream', () => {
  test('names itself, then sends header, frames and closed of a reply that it watches', async () => {
    isReading();
    const reply = makeReply();
    stream.watch(reply, 0);
    const frames = Array.from({ length: 70 }, () => randomBytes(1040));
    for (const frame of frames) {
      reply.append(frame);
      stream.flush();
    }
    reply.finish(0);
    stream.flush();
    await until(() => of(reply).at(-1)?.kind === 'closed');
    expect(records[0]).toMatchObject({ kind: 'stream', body: stream.id });
    expect(of(reply).map(({ kind, number }) => `${kind} ${number}`)).toEqual([
      'header 0',
      ...frames.map((_, number) => `frame ${number}`),
      'closed 70',
    ]);
    expect(
      of(reply)
        .slice(1, -1)
        .map(({ body }) => body),
    ).toEqual(frames);
    expect(stream.size).toBe(0);
    expect(reply.readers.size).toBe(0);
  });

  test('skips a socket that is not read from, keeps little for it, and catches up without a gap (M36)', async () => {
    const replies = Array.from({ length: 4 }, makeReply);
    for (const reply of replies) stream.watch(reply, 0);
    const sent = new Map<HeldReply, Bytes[]>(replies.map((reply) => [reply, []]));
    // 40 MB in all: far more than the sockets of two ends hold.
    const frame = randomBytes(1040);
    for (let i = 0; i < 10_000; i += 1) {
      for (const reply of replies) {
        reply.append(frame);
        sent.get(reply)?.push(frame);
      }
      stream.flush();
      if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(outgoing.writableLength).toBeGreaterThan(0);
    expect(outgoing.writableLength).toBeLessThan(300_000);
    for (const reply of replies) reply.finish(0);
    isReading();
    await until(() => replies.every((reply) => of(reply).at(-1)?.kind === 'closed'));
    for (const reply of replies) {
      const numbers = of(reply)
        .filter(({ kind }) => kind === 'frame')
        .map(({ number }) => number);
      expect(numbers).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    }
  });

  test('a slow reader holds up neither the reply nor a fast one', () => {
    const reply = makeReply();
    stream.watch(reply, 0);
    for (let i = 0; i < 20_000; i += 1) {
      reply.append(new Uint8Array(1040));
      stream.flush();
    }
    expect(reply.frames).toBe(20_000);
    expect(reply.readers.has(stream)).toBe(true);
  });

  test('is ended when nobody has read for a minute, beside one that was read in time', async () => {
    const reply = makeReply();
    stream.watch(reply, 0);
    for (let i = 0; i < 10_000; i += 1) reply.append(new Uint8Array(1040));
    stream.flush();
    await until(() => outgoing.writableLength > 0);
    stream.beat(0);
    stream.beat(59_999);
    expect(outgoing.destroyed).toBe(false);
    stream.beat(60_000);
    await until(() => outgoing.destroyed);
    expect(reply.frames).toBe(10_000);
  });

  test('goes on beating while it is read', async () => {
    isReading();
    stream.beat(0);
    stream.beat(100_000);
    await until(() => records.filter(({ kind }) => kind === 'heartbeat').length === 2);
    expect(outgoing.destroyed).toBe(false);
  });

  test('says "gone" of a reply that is let go', async () => {
    isReading();
    const reply = makeReply();
    stream.watch(reply, 0);
    stream.evict(reply);
    await until(() => of(reply).length > 0);
    expect(of(reply)).toMatchObject([{ kind: 'closed', body: Uint8Array.of(2) }]);
    expect(reply.readers.size).toBe(0);
  });
});
