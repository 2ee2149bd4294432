import { connect, type TLSSocket } from 'node:tls';
import { crowdKinds, endedKinds, type WorstFloodKind } from './worst-kinds.ts';

/* Somebody who does their worst with frames of HTTP/2 (RFC 9113), and calls of HTTP/1.1, on bare sockets: no library sends them. */

const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;
const endStream = 0x1;
const endHeaders = 0x4;

/** One frame of RFC 9113, section 4.1. */
export function encodeFrame(
  type: keyof typeof frameTypes,
  flags: number,
  stream: number,
  body: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(frameTypes[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** A literal field that enters the dynamic table, its name from the static one or spelled out (RFC 7541, section 6.2.1). */
function field(name: number | string, value: string): Buffer {
  const length = (count: number) => {
    if (count < 127) return Buffer.of(count);
    const rest = count - 127;
    return rest < 128 ? Buffer.of(127, rest) : Buffer.of(127, (rest & 127) | 128, rest >> 7);
  };
  const text = (of: string) => Buffer.concat([length(of.length), Buffer.from(of)]);
  return typeof name === 'number'
    ? Buffer.concat([Buffer.of(0x40 | name), text(value)])
    : Buffer.concat([Buffer.of(0x40), text(name), text(value)]);
}

const [authority, path] = [1, 4];
const get = Buffer.of(0x82);
const postMethod = Buffer.of(0x83);
const https = Buffer.of(0x87);
/** The newest entry of the dynamic table. */
const newestEntry = 0x80 | 62;

/** The fields of a call, as one block of HPACK. */
export const getHead = (url: string) => Buffer.concat([get, https, field(authority, 'localhost'), field(path, url)]);

export type FloodOrder = {
  readonly port: number;
  readonly ca?: string | undefined;
  readonly accessTokens: readonly string[];
  readonly files: readonly string[];
  readonly kind: WorstFloodKind;
  readonly forMs: number;
};

/** Gives what one session sends, round by round; null when it has nothing more to send and waits. */
type Flood = (order: FloodOrder, session: number) => (round: number) => Buffer | null;

const postHead = (token: string) =>
  Buffer.concat([
    postMethod,
    https,
    field(authority, 'localhost'),
    field(path, '/v1/items'),
    field('content-type', 'application/json'),
    field('sec-fetch-site', 'same-origin'),
    field('authorization', `Bearer ${token}`),
  ]);
const byteFrame = (stream: number, byte: string) => encodeFrame('data', 0, stream, Buffer.from(byte));
const streamsAtOnce = 100;
const taken = (round: number) =>
  Buffer.concat([
    encodeFrame('headers', endHeaders | endStream, 2 * round + 1, getHead('/v1/version')),
    encodeFrame('reset', 0, 2 * round + 1, Buffer.of(0, 0, 0, 8)),
  ]);
const plainCall = 'GET /v1/version HTTP/1.1\r\nhost: localhost\r\n';

const floods: Readonly<Record<WorstFloodKind, Flood>> = {
  // HTTP/1.1 lets calls follow each other without waiting for answers.
  pipelined: () => () => Buffer.from(`${plainCall}\r\n`.repeat(500)),
  // Rapid reset: CVE-2023-44487.
  resets: () => taken,
  pings: () => () => encodeFrame('ping', 0, 0, Buffer.alloc(8)),
  settings: () => () => encodeFrame('settings', 0, 0, Buffer.of(0, 3, 0, 0, 0, 100)),
  // A head without an end: CVE-2024-27983 and its kind.
  continuations: () => (round) =>
    round === 0
      ? encodeFrame('headers', 0, 1, getHead('/livez'))
      : encodeFrame('continuation', 0, 1, field('x', 'A'.repeat(100))),
  // One entry of 4 KB, named by one byte each thousands of times: CVE-2016-6581.
  'header-bomb': () => (round) =>
    encodeFrame(
      'headers',
      endHeaders | endStream,
      2 * round + 1,
      Buffer.concat([getHead('/livez'), field('x', 'A'.repeat(3_900)), Buffer.alloc(10_000, newestEntry)]),
    ),
  // Bodies of which every byte is a frame: each costs Node an object, and memory.
  bytes: ({ accessTokens }, session) => {
    const head = postHead(accessTokens[session % accessTokens.length] ?? '');
    return (round) => {
      if (round < streamsAtOnce) return encodeFrame('headers', endHeaders, 2 * round + 1, head);
      if (round === streamsAtOnce) {
        return Buffer.concat(Array.from({ length: streamsAtOnce }, (_, at) => byteFrame(2 * at + 1, '{')));
      }
      const piece = byteFrame(2 * (round % streamsAtOnce) + 1, ' ');
      return Buffer.concat(Array.from({ length: 500 }, () => piece));
    };
  },
  // Large answers with a window for all of them, of which nothing is read.
  'unread-streams': ({ files }) => {
    const window = encodeFrame('windowUpdate', 0, 0, Buffer.of(0x7f, 0, 0, 0));
    return (round) => {
      if (round === 0) return window;
      if (round > streamsAtOnce) return null;
      const url = files[round % files.length] ?? '/';
      return encodeFrame('headers', endHeaders | endStream, 2 * round - 1, getHead(url));
    };
  },
  // One connection may have so many waiting, and may take so many back.
  'crowd-calls': once(() => Buffer.from(`${plainCall}\r\n`.repeat(180))),
  'crowd-expectations': once(() => Buffer.from(`${plainCall}expect: nothing\r\n\r\n`.repeat(600))),
  'crowd-resets': once(() => Buffer.concat(Array.from({ length: 150 }, (_, round) => taken(round)))),
};

function once(packet: () => Buffer): Flood {
  return () => (round) => (round === 0 ? packet() : null);
}

/** How a client begins. */
export const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  // The largest initial window.
  encodeFrame('settings', 0, 0, Buffer.of(0, 4, 0x7f, 0xff, 0xff, 0xff)),
]);
const sessionsAtOnce = 8;
const crowd = 300;
/** A session that the relay should end is flooded for so long at most. */
const longestFloodMs = 60_000;

type Session = { readonly socket: TLSSocket; readonly isEnded: () => boolean; readonly ended: Promise<void> };

const overHttp1: ReadonlySet<WorstFloodKind> = new Set(['pipelined', 'crowd-calls', 'crowd-expectations']);

async function openSession({ ca, kind, port }: FloodOrder): Promise<Session> {
  const protocol = overHttp1.has(kind) ? 'http/1.1' : 'h2';
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: [protocol] });
  let isEnded = false;
  const ended = new Promise<void>((resolve) => {
    for (const event of ['error', 'end', 'close'] as const) {
      socket.on(event, () => {
        isEnded = true;
        resolve();
      });
    }
  });
  await Promise.race([new Promise((resolve) => void socket.once('secureConnect', resolve)), ended]);
  if (!isEnded && protocol === 'h2') socket.write(preface);
  return { socket, isEnded: () => isEnded, ended };
}

/** Sends until the relay ends the session, or the time is over. */
async function flood({ socket, isEnded, ended }: Session, next: ReturnType<Flood>, untilMs: number): Promise<void> {
  for (let round = 0; !isEnded() && performance.now() < untilMs; round++) {
    const frames = next(round);
    if (frames === null) await Promise.race([ended, waitMs(20)]);
    else if (!socket.write(frames)) await Promise.race([drained(socket), ended, waitMs(200)]);
    // The system is given what was written in turns of this loop alone.
    else if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Floods with several sessions at once, and opens a new one for each that the relay ends.
 *
 * @returns how many the relay ended (0), and how many were left standing at the end (200).
 */
export async function floodRelay(order: FloodOrder): Promise<Record<number, number>> {
  if (crowdKinds.has(order.kind)) return floodAtOnce(order);
  const outcomes: Record<number, number> = {};
  const startedAtMs = performance.now();
  const untilMs = startedAtMs + order.forMs;
  await Promise.all(
    Array.from({ length: sessionsAtOnce }, async (_, number) => {
      for (let opened = 0; opened === 0 || performance.now() < untilMs; opened++) {
        const session = await openSession(order);
        if (order.kind === 'unread-streams') session.socket.pause();
        else session.socket.resume();
        // However slow this machine is, one session of each has sent what it has.
        const isFirst = opened === 0 && endedKinds.has(order.kind);
        await flood(session, floods[order.kind](order, number), isFirst ? startedAtMs + longestFloodMs : untilMs);
        const outcome = session.isEnded() ? 0 : 200;
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        session.socket.destroy();
      }
    }),
  );
  return outcomes;
}

/** Opens all sessions before the first of them says anything. */
async function floodAtOnce(order: FloodOrder): Promise<Record<number, number>> {
  const sessions = await Promise.all(Array.from({ length: crowd }, () => openSession(order)));
  const flooding = sessions.map(async (session, number) => {
    session.socket.resume();
    await flood(session, floods[order.kind](order, number), performance.now() + order.forMs);
    session.socket.destroy();
    return session.isEnded();
  });
  const ended = (await Promise.all(flooding)).filter(Boolean).length;
  return { 0: ended, 200: crowd - ended };
}

function drained(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => void socket.once('drain', resolve));
}

function waitMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
