import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  decodeLiveRecord,
  encodeLiveRecord,
  type LiveRecord,
  LiveRecordSplitter,
} from '../../../crypto/protocol/messages/live-record.ts';

import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what a lying relay says has no type.
type Json = any;
type Instead = { readonly status: number; readonly body: string } | undefined;
export type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly authorization: string;
};

/** A relay that lies, made of one that does not: passes everything on, changes what a test says, and notes what was asked. */
export class TamperingProxy implements AsyncDisposable {
  readonly requests: Exchange[] = [];
  /** May answer in the relay's place, or change what the client sent (by returning nothing after changing the JSON). */
  onRequest: ((exchange: Exchange, json: Json) => Instead | Promise<Instead> | void) | null = null;
  /** Lets a call wait before it goes on. */
  onHold: ((exchange: Exchange) => Promise<void> | null) | null = null;
  /** Changes a JSON answer; returns another, or alters the one that it is given. */
  onAnswer: ((exchange: Exchange, json: Json, sent: Json) => unknown) | null = null;
  /** Changes live records on their way. */
  onRecord: ((record: LiveRecord) => readonly LiveRecord[]) | null = null;
  readonly #target: number;
  readonly #server = createServer((request, response) => void this.#pass(request, response));

  private constructor(target: number) {
    this.#target = target;
  }

  static async start(targetPort: number): Promise<TamperingProxy> {
    const proxy = new TamperingProxy(targetPort);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  honest(): void {
    this.onRequest = null;
    this.onHold = null;
    this.onAnswer = null;
    this.onRecord = null;
  }

  /** Every question that left the browser since. */
  sentTurns(): readonly Exchange[] {
    return this.requests.filter(({ method, path }) => method === 'POST' && path.startsWith('/v1/turns'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => done());
      this.#server.closeAllConnections();
    });
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    let body = Buffer.concat(pieces);
    const path = request.url ?? '/';
    const exchange = {
      method: request.method ?? 'GET',
      path,
      body: body.toString('utf8'),
      authorization: request.headers.authorization ?? '',
    };
    if (path.startsWith('/v1/')) this.requests.push(exchange);
    await this.onHold?.(exchange);
    const sent: Json = readJson(exchange.body);
    const instead = path.startsWith('/v1/') ? await this.onRequest?.(exchange, sent) : undefined;
    if (instead) {
      response.writeHead(instead.status, { 'content-type': 'application/json' }).end(instead.body);
      return;
    }
    if (sent !== null) body = Buffer.from(JSON.stringify(sent));
    const headers = { ...request.headers, ...(body.length > 0 ? { 'content-length': String(body.length) } : {}) };
    const upstream = httpRequest(
      { host: '127.0.0.1', port: this.#target, method: request.method, path, headers },
      (answer) => void this.#answer(exchange, sent, answer, response),
    );
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    upstream.end(body);
  }

  async #answer(exchange: Exchange, sent: Json, answer: IncomingMessage, response: ServerResponse): Promise<void> {
    const status = answer.statusCode ?? 502;
    const isStream =
      status === 200 && (exchange.path === '/v1/live' || /^\/v1\/turns\/[^/]+\/frames/.test(exchange.path));
    if (isStream) {
      response.writeHead(status, withoutLength(answer.headers));
      response.flushHeaders();
      const splitter = new LiveRecordSplitter();
      answer.on('data', (piece: Buffer) => this.#passRecords(splitter, piece, response));
      answer.on('close', () => response.end());
      return;
    }
    const isJson = (answer.headers['content-type'] ?? '').includes('json') && exchange.path.startsWith('/v1/');
    if (!isJson || this.onAnswer === null) {
      response.writeHead(status, answer.headers);
      answer.pipe(response);
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
    const json: Json = readJson(Buffer.concat(pieces).toString('utf8'));
    const changed = JSON.stringify(this.onAnswer?.(exchange, json, sent) ?? json);
    response.writeHead(status, withoutLength(answer.headers)).end(changed);
  }

  #passRecords(splitter: LiveRecordSplitter, piece: Buffer, response: ServerResponse): void {
    for (const bytes of splitter.push(piece)) {
      const { onRecord } = this;
      if (onRecord === null) {
        response.write(bytes);
        continue;
      }
      for (const record of onRecord(decodeLiveRecord(bytes))) response.write(encodeLiveRecord(record));
    }
  }
}

/** The answer of one turn under the number of every later one, frame by frame (M31). */
export function replayUnderOtherTurns(recorded: readonly LiveRecord[]): (record: LiveRecord) => readonly LiveRecord[] {
  const isPart = ({ kind }: LiveRecord) => kind === 'header' || kind === 'frame';
  const taken = recorded.filter(isPart);
  const firstTurn = toBase64Url(taken[0]?.turnId ?? new Uint8Array(16));
  return (record) => {
    if (!isPart(record) || toBase64Url(record.turnId) === firstTurn) return [record];
    const other = taken.find(({ kind, number }) => kind === record.kind && number === record.number);
    return other === undefined ? [] : [{ ...other, turnId: record.turnId }];
  };
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function withoutLength(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { 'content-length': _length, 'content-encoding': _encoding, ...rest } = headers;
  return rest;
}
