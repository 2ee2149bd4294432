import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as v from 'valibot';
import { enclaveRequest, type EnclaveStatus } from '../crypto/protocol/messages/enclave-messages.ts';
import { asksToWait, type ErrorCode, errorCodes } from '../crypto/protocol/messages/error-codes.ts';
import { maximumRequestBodyLength } from '../crypto/protocol/messages/turn-messages.ts';
import {
  workerStop,
  type WorkerStatusAnswer,
  type WorkerTurnAccepted,
  workerWatch,
} from '../crypto/protocol/messages/worker-messages.ts';
import { fromBase64Url, toBase64Url } from '../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../crypto/protocol/bytes/errors.ts';
import { jsonBudgetOf } from '../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../crypto/protocol/json/strict-json.ts';
import { readJsonBody } from '../process/http/json-body.ts';
import { CallRefused } from './call-refused.ts';
import type { EngineShelf } from './engines/engine-shelf.ts';
import { attest } from './evidence/attest.ts';
import { type EvidenceSource, NoEvidence } from './evidence/source/evidence-source.ts';
import type { KeyKeeper } from './keys/key-keeper.ts';
import type { Log } from './log.ts';
import { LiveStream } from './turns/live-stream.ts';
import type { TurnDesk } from './turns/turn-desk.ts';

/** base64url, and room for header and recipients. */
const maximumTurnLength = Math.ceil((maximumRequestBodyLength * 4) / 3) + 16_384;
const maximumCallLength = 256 * 1024;
/** Bodies of requests in memory at a time, before they are turns. */
const maximumPendingTurns = 64;
/** On Modal each account's session has a response of its own while a turn runs. */
const maximumStreams = 1024;
const beatEveryMs = 5_000;
/** Every 503 carries this: a turn that ends makes room, and a model that loads is ready when it is. */
const retryAfterSeconds = 2;

type Call = { readonly request: IncomingMessage; readonly response: ServerResponse };
type Route = (call: Call) => Promise<void> | void;

/** The worker's face to the relay (SPEC.md §10.2): a few calls, and one endless response. */
export class WorkerApp {
  readonly server: Server;
  readonly #shelf: EngineShelf;
  readonly #keys: KeyKeeper;
  readonly #evidenceSource: EvidenceSource;
  readonly #vouchesForRehearsal: boolean;
  readonly #isFast: boolean;
  readonly #desk: TurnDesk;
  readonly #log: Log;
  readonly #tokenHash: Buffer;
  readonly #beat: NodeJS.Timeout;
  readonly #routes: Readonly<Record<string, Readonly<Record<string, Route>>>>;
  #pendingTurns = 0;

  constructor(input: {
    readonly token: string;
    readonly shelf: EngineShelf;
    readonly keys: KeyKeeper;
    readonly evidence: EvidenceSource;
    /** True if evidence is given for the rehearsal engine: not where it only stands in for another one. */
    readonly vouchesForRehearsal: boolean;
    /** True if the model writes faster than the pace of a chat. */
    readonly isFast: boolean;
    readonly desk: TurnDesk;
    readonly log: Log;
  }) {
    this.#shelf = input.shelf;
    this.#keys = input.keys;
    this.#evidenceSource = input.evidence;
    this.#vouchesForRehearsal = input.vouchesForRehearsal;
    this.#isFast = input.isFast;
    this.#desk = input.desk;
    this.#log = input.log;
    this.#tokenHash = hashToken(input.token);
    this.#routes = {
      '/status': { GET: ({ response }) => this.#status(response) },
      '/evidence': { POST: (call) => this.#evidence(call) },
      '/live': { GET: (call) => this.#live(call) },
      '/turns': { POST: (call) => this.#turn(call) },
      '/watch': { POST: (call) => this.#watch(call) },
      '/stop': { POST: (call) => this.#stop(call) },
    };
    this.server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void this.#handle({ request, response });
    });
    this.#beat = setInterval(() => this.#desk.beat(), beatEveryMs);
    this.#beat.unref();
  }

  /** @returns the port. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => resolve());
    });
    const address = this.server.address();
    return address !== null && typeof address === 'object' ? address.port : port;
  }

  close(): void {
    clearInterval(this.#beat);
    this.server.close();
    this.server.closeAllConnections();
  }

  async #handle(call: Call): Promise<void> {
    try {
      if (!this.#isAuthorized(call.request)) return this.#refuse(call, 'not-signed-in');
      const methods = this.#routes[new URL(call.request.url ?? '/', 'http://worker').pathname];
      const route = methods?.[call.request.method ?? ''];
      if (methods === undefined) return this.#refuse(call, 'not-found');
      if (route === undefined) return this.#refuse(call, 'method-not-allowed');
      await route(call);
    } catch (error) {
      if (error instanceof CallRefused) return this.#refuse(call, error.code);
      if (error instanceof CryptoError) return this.#refuse(call, 'bad-request');
      // The error itself may hold what somebody wrote; its class does not.
      this.#log('error', {
        event: 'internal-error',
        kind: error instanceof Error ? error.constructor.name : 'unknown',
      });
      this.#refuse(call, 'internal-error');
    }
  }

  #status(response: ServerResponse): void {
    const answer: WorkerStatusAnswer = { format: 1, status: this.#currentStatus(), models: this.#shelf.models };
    sendJson(response, 200, answer);
  }

  async #evidence({ request, response }: Call): Promise<void> {
    const parsed = await parseBody(request, enclaveRequest);
    const engine = this.#shelf.find(parsed.model);
    // A stand-in for the chosen model is no model to vouch for; and the chosen one may come yet.
    const isWaiting =
      !this.#vouchesForRehearsal && (engine?.kind === 'rehearsal' || this.#shelf.status.state !== 'ready');
    if (isWaiting && engine?.kind !== 'openai') throw new CallRefused('enclave-starting');
    if (engine === undefined) throw new CallRefused('not-found');
    try {
      const answer = await attest({
        request: parsed,
        engine,
        isFast: this.#isFast,
        status: this.#currentStatus(),
        keys: this.#keys,
        source: this.#evidenceSource,
      });
      sendJson(response, 200, answer);
    } catch (error) {
      if (!(error instanceof NoEvidence)) throw error;
      throw new CallRefused(error.reason === 'busy' ? 'enclave-busy' : 'enclave-starting');
    }
  }

  #live({ request, response }: Call): void {
    if (this.#desk.streamCount >= maximumStreams || this.#desk.isDraining) throw new CallRefused('enclave-busy');
    request.socket.setNoDelay(true);
    const stream = this.#desk.open((id) => new LiveStream(id, response));
    this.#log('info', { event: 'relay-connected', streams: this.#desk.streamCount });
    response.once('close', () => {
      this.#desk.leave(stream);
      this.#log('info', { event: 'relay-disconnected', streams: this.#desk.streamCount });
    });
  }

  async #turn({ request, response }: Call): Promise<void> {
    if (this.#pendingTurns >= maximumPendingTurns || !this.#desk.hasRoom(this.#pendingTurns)) {
      throw new CallRefused('enclave-busy');
    }
    this.#pendingTurns += 1;
    let acceptance;
    try {
      const body = await readJsonBody(request, maximumTurnLength, (why) => new CallRefused(why));
      acceptance = this.#desk.accept(await this.#keys.open({ body, models: this.#shelf.models }));
    } finally {
      this.#pendingTurns -= 1;
    }
    if (acceptance.kind === 'refused') throw new CallRefused(acceptance.code);
    const answer: WorkerTurnAccepted = {
      format: 1,
      turnId: toBase64Url(acceptance.turnId),
      transcriptId: toBase64Url(acceptance.transcriptId),
    };
    sendJson(response, 202, answer);
  }

  async #watch({ request, response }: Call): Promise<void> {
    const { streamId, turns } = await parseBody(request, workerWatch);
    if (!this.#desk.watch(streamId, turns)) throw new CallRefused('not-found');
    sendJson(response, 202, { format: 1 });
  }

  async #stop({ request, response }: Call): Promise<void> {
    const { turnId, stopToken } = await parseBody(request, workerStop);
    this.#desk.stop(fromBase64Url(turnId), fromBase64Url(stopToken));
    sendJson(response, 202, { format: 1 });
  }

  #currentStatus(): EnclaveStatus {
    const { status } = this.#shelf;
    if (this.#desk.isDraining) return { ...status, state: 'draining' };
    if (status.state !== 'ready' || this.#evidenceSource.isReady) return status;
    return { ...status, state: 'loading', reason: 'evidence-pending' };
  }

  #isAuthorized(request: IncomingMessage): boolean {
    const token = /^Bearer ([\x21-\x7e]{1,512})$/.exec(request.headers.authorization ?? '')?.[1];
    // Hashes are of one length, whatever was sent.
    return timingSafeEqual(hashToken(token ?? ''), this.#tokenHash) && token !== undefined;
  }

  #refuse({ request, response }: Call, code: ErrorCode): void {
    this.#log('debug', { event: 'call-refused', code });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // Unread bytes of a body would be taken for the next call.
    if (!request.complete) response.setHeader('connection', 'close');
    if (asksToWait(code)) response.setHeader('retry-after', retryAfterSeconds);
    sendJson(response, errorCodes[code].status, { error: code });
  }
}

async function parseBody<Schema extends v.GenericSchema>(
  request: IncomingMessage,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const body = await readJsonBody(request, maximumCallLength, (why) => new CallRefused(why));
  let value: unknown;
  try {
    value = parseStrictJson(body, jsonBudgetOf(schema));
  } catch {
    throw new CallRefused('bad-request');
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw new CallRefused('bad-request');
  return parsed.output;
}

function sendJson(response: ServerResponse, status: number, document: object): void {
  const body = Buffer.from(JSON.stringify(document));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.end(body);
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
