import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { decodeRequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import type { Attestation, EnclaveRequest } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';
import { errorCodes } from '../../../crypto/protocol/messages/error-codes.ts';
import { type CloseReason, closeReasons, encodeLiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import {
  encodeTranscriptHeader,
  headerBody,
  requestHashOf,
  transcriptIdOf,
} from '../../../crypto/protocol/messages/transcript-header.ts';
import type { WorkerTurnStart, WorkerWatch } from '../../../crypto/protocol/messages/worker-messages.ts';
import { type Bytes, fromBase64Url, lengthPrefixed, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';

export type ScriptedTranscript = {
  readonly turnId: string;
  readonly transcriptId: Bytes;
  readonly header: Bytes;
  readonly frames: Bytes[];
  closed: CloseReason | null;
};

/**
 * A peer that speaks the worker's protocol over real HTTP and does what a test tells it, wrong things included. What
 * it sends as sealed frames are random bytes: a relay cannot tell.
 */
export class ScriptedWorker {
  readonly token = 'scripted-worker-token-0123456789abcdef';
  readonly transcripts: ScriptedTranscript[] = [];
  readonly starts: WorkerTurnStart[] = [];
  readonly watches: WorkerWatch['turns'][number][] = [];
  readonly stops: { turnId: string; stopToken: string }[] = [];
  /** Answered to the next turns instead of taking them. */
  refusal: ErrorCode | null = null;
  /** Takes the next turns and breaks the connection before answering. */
  swallowAnswer = false;
  /** Takes the next turns and keeps their headers back. */
  silentStarts = false;
  state: 'ready' | 'loading' | 'draining' = 'ready';
  models = ['test-model'];
  publicKey = toBase64Url(new Uint8Array(randomBytes(1216)));
  /** The nonces of everybody who asked for evidence. */
  readonly nonces: string[] = [];
  /** The requests for evidence, also those in vain. */
  readonly questions: EnclaveRequest[] = [];
  /** Members of a question that a worker of an earlier build does not know. */
  refuses: ReadonlySet<string> = new Set();
  /** Added to the next evidence: collateral and what has to be fetched. */
  more: Partial<Pick<Attestation, 'collateral' | 'collateralNeeds'>> = {};
  readonly #streams = new Map<string, ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Listens, on the same port after a `stop`. */
  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Breaks every connection and listens no more. What it holds stays, as in a worker that lost its network. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.cutConnections();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  cutConnections(): void {
    this.#streams.clear();
    for (const socket of this.#sockets) socket.destroy();
  }

  transcriptOf(turnId: string): ScriptedTranscript {
    const found = this.transcripts.findLast((transcript) => transcript.turnId === turnId);
    if (found === undefined) throw new Error('The relay handed no such turn on.');
    return found;
  }

  /** Makes frames and sends them. */
  speak(transcript: ScriptedTranscript, count: number): void {
    for (let i = 0; i < count; i++) {
      transcript.frames.push(new Uint8Array(randomBytes(272)));
      this.sendFrame(transcript, transcript.frames.length - 1);
    }
  }

  sendFrame(transcript: ScriptedTranscript, number: number, body = transcript.frames[number]): void {
    this.broadcast(frameRecord(transcript, number, body ?? new Uint8Array()));
  }

  close(transcript: ScriptedTranscript, reason: CloseReason = 'final'): void {
    transcript.closed = reason;
    this.broadcast(closedRecord(transcript, reason));
  }

  broadcast(record: Uint8Array): void {
    for (const stream of this.#streams.values()) stream.write(record);
  }

  /** The raw records of a transcript as they left here, in one piece. */
  recordsOf(transcript: ScriptedTranscript, from = -1): Buffer {
    const records: Uint8Array[] = from < 0 ? [headerRecord(transcript)] : [];
    for (let n = Math.max(0, from); n < transcript.frames.length; n++) {
      records.push(frameRecord(transcript, n, transcript.frames[n] ?? new Uint8Array()));
    }
    if (transcript.closed !== null) records.push(closedRecord(transcript, transcript.closed));
    return Buffer.concat(records);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== `Bearer ${this.token}`) return refuse(response, 'not-signed-in');
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const body: unknown = pieces.length === 0 ? null : JSON.parse(Buffer.concat(pieces).toString('utf8'));
    const path = `${request.method} ${request.url}`;
    if (path === 'GET /live') return this.#openStream(response);
    if (path === 'GET /status') return send(response, 200, { format: 1, status: this.#status(), models: this.models });
    if (path === 'POST /evidence') {
      const question = body as EnclaveRequest;
      this.questions.push(question);
      if (Object.keys(question).some((name) => this.refuses.has(name))) return refuse(response, 'bad-request');
      this.nonces.push(question.nonce);
      return send(response, 200, this.#evidence());
    }
    if (path === 'POST /turns') return this.#takeTurn(body as WorkerTurnStart, response);
    if (path === 'POST /watch') return this.#watch(body as WorkerWatch, response);
    if (path === 'POST /stop') {
      this.stops.push(body as { turnId: string; stopToken: string });
      return send(response, 202, { format: 1 });
    }
    return refuse(response, 'not-found');
  }

  #openStream(response: ServerResponse): void {
    const id = new Uint8Array(randomBytes(16));
    this.#streams.set(toBase64Url(id), response);
    response.on('close', () => this.#streams.delete(toBase64Url(id)));
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.write(encodeLiveRecord({ kind: 'stream', body: id }));
  }

  #takeTurn(start: WorkerTurnStart, response: ServerResponse): void {
    if (this.refusal !== null) return refuse(response, this.refusal);
    this.starts.push(start);
    const header = fromBase64Url(start.request.header);
    const requestHash = createHash('sha256')
      .update(lengthPrefixed(header, fromBase64Url(start.request.body)))
      .digest();
    const turnId = toBase64Url(decodeRequestHeader(header).turnId);
    const known = this.transcripts.find(
      (transcript) => transcript.turnId === turnId && requestHash.equals(requestHashOf(transcript.header)),
    );
    const transcript =
      known ?? newTranscript(turnId, fromBase64Url(start.request.recipients[0]?.keyId ?? ''), requestHash);
    if (known === undefined) this.transcripts.push(transcript);
    if (!this.silentStarts) this.#streams.get(start.streamId)?.write(this.recordsOf(transcript));
    if (this.swallowAnswer) return void response.destroy();
    send(response, 202, { format: 1, turnId, transcriptId: toBase64Url(transcript.transcriptId) });
  }

  #watch(watch: WorkerWatch, response: ServerResponse): void {
    this.watches.push(...watch.turns);
    const stream = this.#streams.get(watch.streamId);
    for (const { turnId, transcriptId, from } of watch.turns) {
      const held = this.transcripts.filter(
        (transcript) =>
          transcript.turnId === turnId &&
          (transcriptId === null || toBase64Url(transcript.transcriptId) === transcriptId),
      );
      for (const transcript of held) {
        if (transcriptId !== null) stream?.write(headerRecord(transcript));
        stream?.write(this.recordsOf(transcript, transcriptId === null ? -1 : from));
      }
      if (held.length > 0) continue;
      const ids = { turnId: fromBase64Url(turnId), ...(transcriptId && { transcriptId: fromBase64Url(transcriptId) }) };
      stream?.write(encodeLiveRecord({ kind: 'closed', ...ids, body: Uint8Array.of(closeReasons.gone) }));
    }
    send(response, 202, { format: 1 });
  }

  #status() {
    return { state: this.state, reason: 'chosen-by-setting', next: null };
  }

  #evidence() {
    return {
      format: 1,
      evidence: [{ kind: 'development', identityPublicKey: toBase64Url(new Uint8Array(32)) }],
      statement: toBase64Url(new Uint8Array(64)),
      signature: toBase64Url(new Uint8Array(64)),
      publicKeys: [this.publicKey],
      status: this.#status(),
      ...this.more,
    };
  }
}

function newTranscript(turnId: string, keyId: Bytes, requestHash: Uint8Array): ScriptedTranscript {
  const replySalt = new Uint8Array(randomBytes(32));
  const commitment = new Uint8Array(randomBytes(32));
  const header = encodeTranscriptHeader({ frameClass: 'chat', keyId, replySalt, commitment });
  return {
    turnId,
    transcriptId: new Uint8Array(transcriptIdOf(header)),
    header: headerBody(header, requestHash),
    frames: [],
    closed: null,
  };
}

function idsOf(transcript: ScriptedTranscript) {
  return { turnId: fromBase64Url(transcript.turnId), transcriptId: transcript.transcriptId };
}

function headerRecord(transcript: ScriptedTranscript): Bytes {
  return encodeLiveRecord({ kind: 'header', ...idsOf(transcript), body: transcript.header });
}

export function frameRecord(transcript: ScriptedTranscript, number: number, body: Uint8Array): Bytes {
  return encodeLiveRecord({ kind: 'frame', ...idsOf(transcript), number, body: new Uint8Array(body) });
}

function closedRecord(transcript: ScriptedTranscript, reason: CloseReason): Bytes {
  const body = Uint8Array.of(closeReasons[reason]);
  return encodeLiveRecord({ kind: 'closed', ...idsOf(transcript), number: transcript.frames.length, body });
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

function refuse(response: ServerResponse, code: ErrorCode): void {
  send(response, errorCodes[code].status, { error: code });
}
