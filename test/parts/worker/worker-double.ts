import { randomBytes, createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { decodeRequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import { encodeLiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import {
  encodeTranscriptHeader,
  headerBody,
  transcriptIdOf,
} from '../../../crypto/protocol/messages/transcript-header.ts';
import type { WorkerTurnStart } from '../../../crypto/protocol/messages/worker-messages.ts';
import { type Bytes, fromBase64Url, lengthPrefixed, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';

/*
 * The relay's view of a worker with nothing behind it, on bare sockets: it costs as little as possible, so that the relay
 * is the bottleneck. argv: `paced` (one frame a turn each 100 ms, in slots as the real worker's) or `flood` (as fast as
 * the relay reads), and the token. Each frame's first eight bytes say when it left.
 */

const [mode = 'paced', token = ''] = process.argv.slice(2);
/** Sealed, of the class `chat`. */
const frameLength = 272;
const slotCount = 20;
const tickMs = 100;

type Turn = {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  readonly body: Buffer<ArrayBuffer>;
  number: number;
};
const slots: Turn[][] = Array.from({ length: slotCount }, () => []);
let turnCount = 0;
let stream: Socket | null = null;
let flowing = true;

const clock = () => performance.timeOrigin + performance.now();

function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

function answer(socket: Socket, status: number, json: object): void {
  const body = JSON.stringify(json);
  socket.write(
    `HTTP/1.1 ${status} OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function openStream(socket: Socket): void {
  const id = randomBytes(16);
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n');
  socket.write(chunk(encodeLiveRecord({ kind: 'stream', body: new Uint8Array(id) })));
  socket.on('drain', () => {
    flowing = true;
    if (mode === 'flood') flood();
  });
  socket.on('close', () => {
    if (stream === socket) stream = null;
  });
  stream = socket;
}

function takeTurn(socket: Socket, start: WorkerTurnStart): void {
  const header = fromBase64Url(start.request.header);
  const requestHash = createHash('sha256')
    .update(lengthPrefixed(header, fromBase64Url(start.request.body)))
    .digest();
  const turnId = decodeRequestHeader(header).turnId;
  const replySalt = new Uint8Array(randomBytes(32));
  const fields = { frameClass: 'chat', keyId: new Uint8Array(32), replySalt, commitment: new Uint8Array(32) } as const;
  const transcriptHeader = encodeTranscriptHeader(fields);
  const transcriptId = new Uint8Array(transcriptIdOf(transcriptHeader));
  const body = headerBody(transcriptHeader, requestHash);
  stream?.write(chunk(encodeLiveRecord({ kind: 'header', turnId, transcriptId, body })));
  slots[turnCount++ % slotCount]?.push({ turnId, transcriptId, body: randomBytes(frameLength), number: 0 });
  answer(socket, 202, { format: 1, turnId: toBase64Url(turnId), transcriptId: toBase64Url(transcriptId) });
}

function sendFrames(turns: readonly Turn[]): void {
  if (turns.length === 0 || stream === null) return;
  const nowMs = clock();
  const records = turns.map((turn) => {
    turn.body.writeDoubleBE(nowMs);
    return encodeLiveRecord({ kind: 'frame', ...turn, number: turn.number++ });
  });
  flowing = stream.write(chunk(Buffer.concat(records)));
}

function flood(): void {
  const all = slots.flat();
  while (flowing && stream !== null && all.length > 0) sendFrames(all);
}

let slot = 0;
const startedAt = clock();
function pace(): void {
  // The schedule is absolute, and a frame's time is when it was due: a late double makes late frames, not kind ones.
  while (startedAt + (slot * tickMs) / slotCount <= clock()) sendFrames(slots[slot++ % slotCount] ?? []);
  setTimeout(pace, Math.max(0, startedAt + (slot * tickMs) / slotCount - clock()));
}

const server = createServer((socket) => {
  let pending = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (piece: Buffer) => {
    pending = Buffer.concat([pending, piece]);
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.subarray(0, end).toString('latin1');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      const body = pending.subarray(end + 4, end + 4 + length).toString('utf8');
      pending = pending.subarray(end + 4 + length);
      route(socket, head, body);
    }
  });
});

function route(socket: Socket, head: string, body: string): void {
  if (!head.toLowerCase().includes(`authorization: bearer ${token}`.toLowerCase())) return void socket.destroy();
  const status = { state: 'ready', reason: 'chosen-by-setting', next: null };
  if (head.startsWith('GET /live')) return openStream(socket);
  if (head.startsWith('GET /status')) return answer(socket, 200, { format: 1, status, models: ['bench-model'] });
  if (head.startsWith('POST /turns')) return takeTurn(socket, JSON.parse(body) as WorkerTurnStart);
  if (head.startsWith('POST /evidence')) return answer(socket, 200, evidence);
  return answer(socket, 202, { format: 1 });
}

const evidence = {
  format: 1,
  evidence: [{ kind: 'development', identityPublicKey: toBase64Url(new Uint8Array(32)) }],
  statement: toBase64Url(new Uint8Array(64)),
  signature: toBase64Url(new Uint8Array(64)),
  publicKeys: [toBase64Url(new Uint8Array(1216))],
  status: { state: 'ready', reason: 'chosen-by-setting', next: null },
};

process.on('message', (message: { readonly begin?: true }) => {
  if (message.begin !== true) return;
  if (mode === 'flood') flood();
});
process.on('disconnect', () => process.exit(0));
setInterval(() => stream?.write(chunk(encodeLiveRecord({ kind: 'heartbeat' }))), 5_000);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (mode === 'paced') pace();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
