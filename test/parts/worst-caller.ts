import { createHash, randomBytes } from 'node:crypto';
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import type { ItemBatch } from '../../crypto/messages/item-messages.ts';
import type { TurnStart } from '../../crypto/messages/turn-messages.ts';
import type { WorstKind } from './worst-kinds.ts';

/*
 * Somebody who does their worst with one account or several, as a process of its own: a message names what, the answer says what
 * came of it. They wait for nothing that the relay asks them to wait for.
 */

export type WorstOrder = {
  readonly port: number;
  /** Of as many accounts; they are used in turn. */
  readonly accessTokens: readonly string[];
  /** A genuine start of a turn, whose sealed request is made as long as it may be. */
  readonly turnStart: string;
  readonly head: { readonly counter: number; readonly hash: string };
  /** An item with a large body. */
  readonly itemId: string;
  readonly loginStart: string;
  readonly kind: WorstKind;
  readonly forMs: number;
};
/** How often each status came; 0 for a connection that was cut. */
export type WorstReport = { readonly statuses: Readonly<Record<number, number>> };

const mebibyte = 1024 * 1024;
const batchLength = 24 * mebibyte;
const startLength = 48 * mebibyte;
/** Characters of base64url of an item body of 16 MiB and its frame. */
const largestBody = Math.floor(((16 * mebibyte + 1024) * 4) / 3);
const callsAtOnce = 8;
const agent = new Agent({ keepAlive: true, maxSockets: callsAtOnce });

type Call = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Buffer;
  /** Written byte by byte instead of at once. */
  readonly isDripped?: true;
  /** The answer is not taken. */
  readonly isLeft?: true;
};

const id = () => randomBytes(16).toString('base64url');
const hash32 = randomBytes(32).toString('base64url');
const item = (body: string) => ({ id: id(), version: 1, expiresAt: 0, flags: 0, body });
const batchOf = (body: string, more: Partial<ItemBatch> = {}): ItemBatch => ({
  format: 1,
  expectedHead: hash32,
  head: { counter: 2, body: 'AAAA' },
  items: [item(body)],
  prune: [],
  finishTurns: [],
  ...more,
});
const post = (path: string, body: string | Buffer): Call => ({ method: 'POST', path, body: Buffer.from(body) });
const always = (call: Call) => () => call;

function distinctKeys(): Buffer {
  const body = Buffer.alloc(batchLength, ' ');
  let offset = body.write('{');
  for (let key = 0; offset < batchLength - 40; key++) offset += body.write(`"${key.toString(36)}":1,`, offset);
  body.write('"last":1}', offset);
  return body;
}

function largestStart({ turnStart, head }: WorstOrder): string {
  const start = JSON.parse(turnStart) as TurnStart;
  const batch = batchOf('A'.repeat(largestBody), { head: { counter: head.counter, body: 'AAAA' } });
  return JSON.stringify({ ...start, request: { ...start.request, body: 'A'.repeat(largestBody) }, batch });
}

/** Each batch follows the one before, so each is stored. */
function storing(order: WorstOrder): () => Call {
  let expectedHead = order.head.hash;
  let { counter } = order.head;
  const body = 'A'.repeat(largestBody);
  return () => {
    counter += 1;
    const head = randomBytes(100);
    const batch = batchOf(body, { expectedHead, head: { counter, body: head.toString('base64url') } });
    expectedHead = createHash('sha256').update(head).digest('base64url');
    return post('/v1/items', JSON.stringify(batch));
  };
}

function inTurn(calls: readonly (() => Call)[]): () => Call {
  let index = 0;
  return () => (calls[index++ % calls.length] ?? calls[0]!)();
}

/** What each kind of caller asks for, again and again. */
const kinds: Readonly<Record<WorstKind, (order: WorstOrder) => () => Call>> = {
  keys: () => always({ method: 'POST', path: '/v1/items', body: distinctKeys() }),
  brackets: () => always({ method: 'POST', path: '/v1/turns', body: Buffer.alloc(startLength, '[') }),
  lists: () => always(post('/v1/items', `{"items":[${'[],'.repeat(batchLength / 3 - 10)}[]]}`)),
  blanks: () => always({ method: 'POST', path: '/v1/turns', body: Buffer.alloc(startLength, ' ') }),
  escapes: () =>
    always(post('/v1/items', JSON.stringify(batchOf('#')).replace('#', '\\u0041'.repeat(batchLength / 6 - 100)))),
  backslashes: () =>
    always(post('/v1/items', JSON.stringify(batchOf('#')).replace('#', '\\'.repeat(batchLength - 1_000)))),
  characters: () =>
    always(post('/v1/items', JSON.stringify(batchOf('#')).replace('#', '\u20ac'.repeat(batchLength / 3 - 1_000)))),
  batch: () => always(post('/v1/items', JSON.stringify(batchOf('A'.repeat(largestBody))))),
  start: (order: WorstOrder) => always(post('/v1/turns', largestStart(order))),
  store: storing,
  dripping: () =>
    always({
      method: 'POST',
      path: '/v1/items',
      body: Buffer.alloc(mebibyte, 'A').fill('{"format":"', 0, 11),
      isDripped: true,
    }),
  pages: () => always({ method: 'GET', path: '/v1/items?afterCounter=0&limit=500' }),
  bodies: ({ itemId }: WorstOrder) => always({ method: 'GET', path: `/v1/items/${itemId}/body` }),
  unread: ({ itemId }: WorstOrder) => always({ method: 'GET', path: `/v1/items/${itemId}/body`, isLeft: true }),
  'sign-in': ({ loginStart }: WorstOrder) => always(post('/v1/sign-in/start', loginStart)),
  live: () => always({ method: 'GET', path: '/v1/live', isLeft: true }),
  /** Everything that is large at once. */
  mix: (order) =>
    inTurn((['batch', 'unread', 'start', 'characters', 'pages'] as const).map((kind) => kinds[kind](order))),
};

function send(order: WorstOrder, call: Call, accessToken: string): Promise<number> {
  const { method, path, body } = call;
  const headers = {
    authorization: `Bearer ${accessToken}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }),
    ...(body === undefined || call.isDripped ? {} : { 'content-length': body.length }),
  };
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: order.port, method, path, headers };
    const request = requestHttp(call.isLeft || call.isDripped ? options : { ...options, agent });
    request.on('error', () => resolve(0));
    request.on('response', (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      if (call.isLeft) {
        // For so long the relay holds what is not taken.
        setTimeout(() => {
          request.destroy();
          resolve(status);
        }, 300);
        return;
      }
      response.resume();
      response.on('close', () => {
        if (call.isDripped) request.destroy();
        resolve(status);
      });
    });
    if (!call.isDripped || body === undefined) return void request.end(body);
    request.setNoDelay(true);
    for (let at = 0; at < body.length && at < 100_000; at++) request.write(body.subarray(at, at + 1));
    request.end();
  });
}

async function work(order: WorstOrder): Promise<WorstReport> {
  const next = kinds[order.kind](order);
  const statuses: Record<number, number> = {};
  const untilMs = performance.now() + order.forMs;
  let sent = 0;
  // What is stored follows one after the other.
  const lanes = order.kind === 'store' ? 1 : callsAtOnce;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (performance.now() < untilMs) {
        const token = order.kind === 'store' ? 0 : sent++ % order.accessTokens.length;
        const status = await send(order, next(), order.accessTokens[token] ?? '');
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  return { statuses };
}

process.on('message', (order: WorstOrder) => void work(order).then((report) => process.send?.(report)));
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
