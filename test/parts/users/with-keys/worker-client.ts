import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { CollateralItem } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import {
  decodeLiveRecord,
  type LiveRecord,
  LiveRecordSplitter,
} from '../../../../crypto/protocol/messages/live-record.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, equalBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { deriveStopToken } from '../../../../crypto/turn/turn-key.ts';
import { developmentPolicy } from '../../evidence/development-policy.ts';
import { askAndJudge } from './asked-evidence.ts';
import { type AcceptedEnclave, type SealedTurn, type SealOptions, sealTurn } from './sealed-turn.ts';

/** Plays relay and browser to a worker, in one: it calls, verifies, seals, reads the live response and opens it. */
export class WorkerClient {
  readonly url: string;
  readonly token: string;
  readonly #policy: EnclavePolicy;
  readonly #collateral: readonly CollateralItem[];

  /** @param collateral - What the vendors would give a relay for this worker's machine. */
  constructor(
    url: string,
    token: string,
    policy: EnclavePolicy = developmentPolicy,
    collateral: readonly CollateralItem[] = [],
  ) {
    this.url = url;
    this.token = token;
    this.#policy = policy;
    this.#collateral = collateral;
  }

  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  /** Asks for evidence over a nonce of its own and verifies it. */
  async verify(model = 'default', statement?: 2): Promise<AcceptedEnclave> {
    const options = { model, ...(statement === undefined ? {} : { statement }) };
    const verdict = await askAndJudge(this, this.#policy, this.#collateral, options);
    if (verdict.refused) throw new Error('The evidence was refused.');
    return verdict;
  }

  async seal(text: string, options: SealOptions = {}): Promise<SealedTurn> {
    await aeadReady();
    return sealTurn([await this.verify()], text, options);
  }

  start(live: WorkerStream, turn: SealedTurn): Promise<Response> {
    return this.call('POST', '/turns', { format: 1, streamId: live.streamId, request: turn.message });
  }

  stop(turn: SealedTurn, token: Bytes = deriveStopToken(turn)): Promise<Response> {
    return this.call('POST', '/stop', {
      format: 1,
      turnId: toBase64Url(turn.turnId),
      stopToken: toBase64Url(token),
    });
  }

  watch(live: WorkerStream, turn: SealedTurn, from: number, transcriptId: string | null = null): Promise<Response> {
    return this.call('POST', '/watch', {
      format: 1,
      streamId: live.streamId,
      turns: [{ turnId: toBase64Url(turn.turnId), transcriptId, from }],
    });
  }

  async live(): Promise<WorkerStream> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest(`${this.url}/live`, { headers: { authorization: `Bearer ${this.token}` } }, resolve);
      request.once('error', reject);
      request.end();
    });
    const reader = new WorkerStream(response);
    await reader.until((records) => records.some(({ kind }) => kind === 'stream'));
    return reader;
  }
}

/** One live response, all records kept. */
export class WorkerStream {
  readonly records: (LiveRecord & { readonly atMs: number })[] = [];
  readonly response: IncomingMessage;
  #wake: (() => void)[] = [];
  #hasEnded = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    const splitter = new LiveRecordSplitter();
    response.on('data', (chunk: Buffer) => {
      for (const bytes of splitter.push(chunk)) {
        this.records.push({ ...decodeLiveRecord(bytes), atMs: performance.now() });
      }
      this.#wakeAll();
    });
    response.on('close', () => {
      this.#hasEnded = true;
      this.#wakeAll();
    });
    response.on('error', () => {});
  }

  get streamId(): string {
    return toBase64Url(this.records.find(({ kind }) => kind === 'stream')!.body);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  of(turn: SealedTurn): LiveRecord[] {
    return this.records.filter(({ turnId }) => equalBytes(turnId, turn.turnId));
  }

  async until(isDone: (records: readonly LiveRecord[]) => boolean): Promise<void> {
    while (!isDone(this.records)) {
      if (this.#hasEnded) throw new Error('The live response ended.');
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Waits until nothing more comes of a turn. */
  untilClosed(turn: SealedTurn): Promise<void> {
    return this.until(() => this.of(turn).some(({ kind }) => kind === 'closed'));
  }

  close(): void {
    this.response.destroy();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
