import { createHash, randomBytes } from 'node:crypto';
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import type { ItemBatch } from '../../../../crypto/protocol/messages/item-messages.ts';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { floodRelay } from './worst-floods.ts';
import { isFloodKind, limitedKinds, type WorstFloodKind, type WorstKind } from './worst-kinds.ts';

/*
 * Somebody who does their worst with one account or several, as a process of its own: a message names what, the answer says what
 * came of it. They wait for nothing that the relay asks them to wait for.
 */

export type WorstOrder = {
  readonly port: number;
  /** The relay's certificate, where it speaks TLS: HTTP/2 then, and HTTP/1.1. */
  readonly ca?: string | undefined;
  /** One token for each account; they are used in turn. */
  readonly accessTokens: readonly string[];
  /** A genuine start of a turn, whose sealed request is made as long as it may be. */
  readonly turnStart: string;
  readonly head: { readonly counter: number; readonly hash: string };
  /** An item with a large body. */
  readonly itemId: string;
  readonly loginStart: string;
  readonly signUpStart: string;
  /** The largest files of the client, as paths. */
  readonly files: readonly string[];
  readonly kind: WorstKind;
  readonly forMs: number;
};
export type WorstReport = {
  /** How often each status came; 0 for a connection that was cut. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Refusals that name no time to come back at. */
  readonly withoutTime: number;
};

const mebibyte = 1024 * 1024;
const batchLength = 24 * mebibyte;
const startLength = 48 * mebibyte;
/** Characters of base64url of an item body of 16 MiB and its frame. */
const largestBody = Math.floor(((16 * mebibyte + 1024) * 4) / 3);
const callsAtOnce = 8;
/** More than any limit lets through at once. */
const leastLimitedCalls = 150;
const keptOpen = { keepAlive: true, maxSockets: callsAtOnce };
const agent = new Agent(keptOpen);
const secureAgent = new SecureAgent(keptOpen);

type Call = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Buffer;
  /** Written byte by byte instead of at once. */
  readonly isDripped?: true;
  /** The answer is not taken. */
  readonly isLeft?: true;
  readonly headers?: Readonly<Record<string, string>>;
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

/** Each kind of caller asks for this, again and again. */
const kinds: Readonly<Record<Exclude<WorstKind, WorstFloodKind>, (order: WorstOrder) => () => Call>> = {
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
  'sign-up': ({ signUpStart }) => always(post('/v1/sign-up/start', signUpStart)),
  refresh: ({ port }) =>
    always({
      ...post('/v1/session/refresh', '{"format":1}'),
      headers: {
        cookie: Array.from({ length: 40 }, (_, index) => `c${index}=${'A'.repeat(300)}`).join('; '),
        origin: `http://127.0.0.1:${port}`,
      },
    }),
  evidence: () => () =>
    post(
      '/v1/enclaves',
      JSON.stringify({
        format: 1,
        nonce: randomBytes(32).toString('base64url'),
        model: 'bench-model',
        freshEvidence: true,
      }),
    ),
  files: ({ files }) =>
    inTurn(
      files.flatMap((path) =>
        [
          {},
          // Ranges and conditions without end are headers of one line each.
          { range: `bytes=${Array.from({ length: 1_500 }, (_, at) => `${at}-${at}`).join(',')}` },
          { 'if-none-match': Array.from({ length: 600 }, () => `"${id()}"`).join(', ') },
          { 'accept-encoding': Array.from({ length: 1_500 }, () => 'br;q=0').join(', ') },
        ].map((headers) => always({ method: 'GET', path, headers })),
      ),
    ),
  'unread-files': ({ files }) => inTurn(files.map((path) => always({ method: 'GET', path, isLeft: true }))),
  live: () => always({ method: 'GET', path: '/v1/live', isLeft: true }),
  /** Everything that is large at once. */
  mix: (order) =>
    inTurn((['batch', 'unread', 'start', 'characters', 'pages'] as const).map((kind) => kinds[kind](order))),
};

/** A body of chunks of one byte each. */
const drips = Buffer.from(`b\r\n{"format":"\r\n${'1\r\nA\r\n'.repeat(100_000)}0\r\n\r\n`);

type Outcome = { readonly status: number; readonly hasNoTime: boolean };
const cut: Outcome = { status: 0, hasNoTime: false };

function outcomeOf({ headers, statusCode: status = 0 }: IncomingMessage): Outcome {
  return { status, hasNoTime: [429, 503, 507].includes(status) && !(Number(headers['retry-after']) > 0) };
}

function send(order: WorstOrder, call: Call, accessToken: string): Promise<Outcome> {
  const { method, path, body } = call;
  const headers = {
    ...call.headers,
    authorization: `Bearer ${accessToken}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }),
    ...(body === undefined || call.isDripped ? {} : { 'content-length': body.length }),
  };
  return new Promise((resolve) => {
    const isAlone = call.isLeft === true || call.isDripped === true;
    const options = { host: '127.0.0.1', port: order.port, method, path, headers };
    const request =
      order.ca === undefined
        ? requestHttp({ ...options, agent: isAlone ? false : agent })
        : requestHttps({ ...options, ca: order.ca, servername: 'localhost', agent: isAlone ? false : secureAgent });
    request.on('error', () => resolve(cut));
    request.on('response', (response: IncomingMessage) => {
      const outcome = outcomeOf(response);
      if (call.isLeft) {
        // For so long the relay holds what is not taken.
        setTimeout(() => {
          request.destroy();
          resolve(outcome);
        }, 300);
        return;
      }
      response.resume();
      response.on('close', () => {
        if (call.isDripped) request.destroy();
        resolve(outcome);
      });
    });
    if (!call.isDripped || body === undefined) return void request.end(body);
    // The drips fit into as few packets as can be: one read of the relay then brings ten thousand of them.
    request.flushHeaders();
    request.on('socket', (socket) => socket.on('connect', () => setImmediate(() => socket.write(drips))));
    return;
  });
}

async function work(order: WorstOrder): Promise<WorstReport> {
  const { kind } = order;
  if (isFloodKind(kind)) return { statuses: await floodRelay({ ...order, kind }), withoutTime: 0 };
  const next = kinds[kind](order);
  const statuses: Record<number, number> = {};
  let withoutTime = 0;
  const untilMs = performance.now() + order.forMs;
  let sent = 0;
  const isLimited = limitedKinds.has(kind);
  // Stores follow one after the other; a call whose answer is left costs no more than its connection.
  const lanes = kind === 'store' ? 1 : kind === 'unread-files' || kind === 'dripping' ? 200 : callsAtOnce;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (performance.now() < untilMs || (isLimited && sent < leastLimitedCalls)) {
        const number = sent++;
        const token = kind === 'store' || isLimited ? 0 : number % order.accessTokens.length;
        const { hasNoTime, status } = await send(order, next(), order.accessTokens[token] ?? '');
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (hasNoTime) withoutTime += 1;
      }
    }),
  );
  return { statuses, withoutTime };
}

process.on('message', (order: WorstOrder) => void work(order).then((report) => process.send?.(report)));
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
