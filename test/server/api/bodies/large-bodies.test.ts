import { expect, onTestFinished, test } from 'vitest';
import { encodeUtf8 } from '../../../../crypto/protocol/bytes/bytes.ts';
import { LargeBodies } from '../../../../server/api/bodies/large-bodies.ts';
import { largeMessages, requireThread } from '../../../../server/api/bodies/large-messages.ts';
import { answer, defineRoute } from '../../../../server/api/route/route.ts';
import * as v from 'valibot';

const mebibyte = 1024 * 1024;

function open(deadlineMs?: number) {
  const lines: string[] = [];
  const silent = () => undefined;
  const log = { error: (event: string) => void lines.push(event), warn: silent, info: silent, debug: silent };
  const bodies = new LargeBodies(log, deadlineMs);
  onTestFinished(() => bodies.close());
  return { bodies, lines };
}

const batchOf = (bodyLength: number) => ({
  format: 1,
  expectedHead: 'A'.repeat(43),
  head: { counter: 2, body: 'AAAA' },
  items: [{ id: 'A'.repeat(22), version: 1, expiresAt: 0, flags: 0, body: 'A'.repeat(bodyLength) }],
  prune: [],
  finishTurns: [],
});
const textOf = (value: unknown) => encodeUtf8(JSON.stringify(value));

test('a large body is read as its route’s message, and any other is refused', { timeout: 60_000 }, async () => {
  const { bodies, lines } = open();
  const batch = batchOf(20 * mebibyte);
  const [read, refused, noJson, foreign] = await Promise.allSettled([
    bodies.read('storeItems', textOf(batch)),
    bodies.read('storeItems', textOf({ ...batch, more: 1 })),
    bodies.read('storeItems', encodeUtf8('{"format":1')),
    bodies.read('startTurn', textOf(batch)),
  ]);
  expect(read).toEqual({ status: 'fulfilled', value: batch });
  for (const one of [refused, noJson, foreign]) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'bad-request' } });
  }
  expect(lines).toEqual([]);
});

test('while a large body is read, the event loop goes round', { timeout: 60_000 }, async () => {
  const { bodies } = open();
  await bodies.read('storeItems', textOf(batchOf(1_000)));
  const bytes = textOf(batchOf(20 * mebibyte));
  let turns = 0;
  let isRead = false;
  const read = bodies.read('storeItems', bytes).then(() => {
    isRead = true;
  });
  while (!isRead) {
    turns += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await read;
  // In place there would be one.
  expect(turns).toBeGreaterThan(5);
  // Handed over, not copied.
  expect(bytes.buffer.byteLength).toBe(0);
});

test(
  'a thread that takes too long is ended and said, and the next body gets another',
  { timeout: 60_000 },
  async () => {
    const { bodies, lines } = open(1);
    // No scanner would let so many values pass.
    const lists = encodeUtf8(`[${'[],'.repeat(4 * mebibyte)}[]]`);
    await expect(bodies.read('storeItems', lists)).rejects.toMatchObject({
      code: 'too-many-requests',
      retryAfterSeconds: 2,
    });
    expect(lines).toEqual(['body-thread-lost']);
    const { bodies: patient } = open();
    await expect(patient.read('storeItems', textOf(batchOf(4)))).resolves.toEqual(batchOf(4));
    // A new thread each time.
    await expect(bodies.read('storeItems', textOf(batchOf(4)))).rejects.toMatchObject({ code: 'too-many-requests' });
  },
);

test('a route whose body may be large is one that the thread knows', () => {
  const route = (name: string, body: v.GenericSchema, maximumBodyLength: number) =>
    defineRoute({
      name,
      summary: '',
      method: 'POST',
      url: '/v1/x',
      access: 'public',
      body,
      maximumBodyLength,
      answers: {},
      handle: () => answer(null),
    });
  const small = v.strictObject({});
  expect(() => requireThread(route('other', small, mebibyte))).toThrow('not among the large messages');
  expect(() => requireThread(route('storeItems', small, mebibyte))).toThrow('not among the large messages');
  expect(() => requireThread(route('other', small, 64 * 1024))).not.toThrow();
  expect(() => requireThread(route('storeItems', largeMessages['storeItems'] ?? small, mebibyte))).not.toThrow();
});
