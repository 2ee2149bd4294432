import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as v from 'valibot';
import { enclaveRequest, type EnclaveStatus } from '../../crypto/protocol/messages/enclave-messages.ts';
import { maximumRequestBodyLength } from '../../crypto/protocol/messages/turn-messages.ts';
import {
  workerStop,
  type WorkerStatusAnswer,
  type WorkerTurnAccepted,
  workerWatch,
} from '../../crypto/protocol/messages/worker-messages.ts';
import { fromBase64Url, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { readJsonBody, readJsonMessage } from '../../process/http/json-body.ts';
import type { EngineShelf } from '../engines/engine-shelf.ts';
import { attest } from '../evidence/attest.ts';
import { type EvidenceSource, NoEvidence } from '../evidence/source/evidence-source.ts';
import type { KeyKeeper } from '../keys/key-keeper.ts';
import type { Log } from '../log.ts';
import { LiveStream } from '../turns/live-stream.ts';
import type { TurnDesk } from '../turns/turn-desk.ts';
import { type Call, Listener, WorkerError, type Routes, sendJson } from './listener.ts';

/** base64url, and room for header and recipients. */
const maximumTurnLength = Math.ceil((maximumRequestBodyLength * 4) / 3) + 16_384;
const maximumCallLength = 256 * 1024;
/** Bodies of requests in memory at a time, before they are turns. */
const maximumPendingTurns = 64;
/** On Modal each account's session has a response of its own while a turn runs. */
const maximumStreams = 1024;
const beatEveryMs = 5_000;

/** The worker's face to the relay (SPEC.md §10.2): a few calls, and one endless response. */
export class WorkerApp {
  readonly #listener: Listener;
  readonly #shelf: EngineShelf;
  readonly #keys: KeyKeeper;
  readonly #evidenceSource: EvidenceSource;
  readonly #vouchesForRehearsal: boolean;
  readonly #isFast: boolean;
  readonly #desk: TurnDesk;
  readonly #log: Log;
  readonly #beat: NodeJS.Timeout;
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
    const routes: Routes = {
      '/status': { GET: ({ response }) => this.#status(response) },
      '/evidence': { POST: (call) => this.#evidence(call) },
      '/live': { GET: (call) => this.#live(call) },
      '/turns': { POST: (call) => this.#turn(call) },
      '/watch': { POST: (call) => this.#watch(call) },
      '/stop': { POST: (call) => this.#stop(call) },
    };
    this.#listener = new Listener(input.token, routes, input.log);
    this.#beat = setInterval(() => this.#desk.beat(), beatEveryMs);
    this.#beat.unref();
  }

  /** @returns the port. */
  listen(host: string, port: number): Promise<number> {
    return this.#listener.listen(host, port);
  }

  close(): void {
    clearInterval(this.#beat);
    this.#listener.close();
  }

  #status(response: ServerResponse): void {
    const answer: WorkerStatusAnswer = { format: 1, status: this.#currentStatus(), models: this.#shelf.models };
    sendJson(response, 200, answer);
  }

  async #evidence({ request, response }: Call): Promise<void> {
    const parsed = await readMessage(request, enclaveRequest);
    const engine = this.#shelf.find(parsed.model);
    // A stand-in for the chosen model is no model to vouch for; and the chosen one may come yet.
    const isWaiting =
      !this.#vouchesForRehearsal && (engine?.kind === 'rehearsal' || this.#shelf.status.state !== 'ready');
    if (isWaiting && engine?.kind !== 'openai') throw new WorkerError('enclave-starting');
    if (engine === undefined) throw new WorkerError('not-found');
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
      throw new WorkerError(error.reason === 'busy' ? 'enclave-busy' : 'enclave-starting');
    }
  }

  #live({ request, response }: Call): void {
    if (this.#desk.streamCount >= maximumStreams || this.#desk.isDraining) throw new WorkerError('enclave-busy');
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
      throw new WorkerError('enclave-busy');
    }
    this.#pendingTurns += 1;
    let acceptance;
    try {
      const body = await readJsonBody(request, maximumTurnLength, (why) => new WorkerError(why));
      acceptance = this.#desk.accept(await this.#keys.open({ body, models: this.#shelf.models }));
    } finally {
      this.#pendingTurns -= 1;
    }
    if (acceptance.kind === 'refused') throw new WorkerError(acceptance.code);
    const answer: WorkerTurnAccepted = {
      format: 1,
      turnId: toBase64Url(acceptance.turnId),
      transcriptId: toBase64Url(acceptance.transcriptId),
    };
    sendJson(response, 202, answer);
  }

  async #watch({ request, response }: Call): Promise<void> {
    const { streamId, turns } = await readMessage(request, workerWatch);
    if (!this.#desk.watch(streamId, turns)) throw new WorkerError('not-found');
    sendJson(response, 202, { format: 1 });
  }

  async #stop({ request, response }: Call): Promise<void> {
    const { turnId, stopToken } = await readMessage(request, workerStop);
    this.#desk.stop(fromBase64Url(turnId), fromBase64Url(stopToken));
    sendJson(response, 202, { format: 1 });
  }

  #currentStatus(): EnclaveStatus {
    const { status } = this.#shelf;
    if (this.#desk.isDraining) return { ...status, state: 'draining' };
    if (status.state !== 'ready' || this.#evidenceSource.isReady) return status;
    return { ...status, state: 'loading', reason: 'evidence-pending' };
  }
}

function readMessage<Schema extends v.GenericSchema>(
  request: IncomingMessage,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  return readJsonMessage(request, schema, maximumCallLength, (why) => new WorkerError(why));
}
