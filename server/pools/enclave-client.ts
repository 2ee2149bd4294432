import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { attestation, type Attestation, type EnclaveRequest } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { SealedRequestMessage } from '../../crypto/protocol/messages/turn-messages.ts';
import {
  maximumWatchedTurns,
  workerDone,
  workerStatusAnswer,
  type WorkerStatusAnswer,
  workerTurnAccepted,
  type WorkerTurnAccepted,
} from '../../crypto/protocol/messages/worker-messages.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { callEnclave, type Endpoint } from './enclave-call.ts';
import { EnclaveStream } from './enclave-stream.ts';
import type { Enclave, StreamListener, WatchedTurn } from './pool.ts';

const statusTimeoutMs = 5_000;
const callTimeoutMs = 10_000;
/** A request may hold 16 MiB. */
const turnTimeoutMs = 60_000;
const streamTimeoutMs = 5_000;

export type EnclaveAddress = {
  readonly url: string;
  readonly token: string;
  readonly unreachable: Endpoint['unreachable'];
  /** The name of the entry where its address changes from start to start; the address otherwise. */
  readonly name?: string;
  /** The id itself, where an entry was named when it began. */
  readonly id?: string;
  /** Connections of several enclaves in common, which outlive this one. */
  readonly agent?: Endpoint['agent'];
  readonly headers?: Endpoint['headers'];
  readonly onForeign?: Endpoint['onForeign'];
  readonly onTokenRefused?: Endpoint['onTokenRefused'];
  /** The live response is held only while turns run, and for this long after. */
  readonly idleMs?: number;
  /** Runs every call, for whoever notes their coming and their failing. */
  readonly around?: <T>(call: () => Promise<T>) => Promise<T>;
};

/** A name for a pool entry that shows in rows and answers and does not tell the address. */
export function nameEnclave(name: string): string {
  return createHash('sha256').update(`sotto/v1/enclave-entry ${name}`).digest('base64url').slice(0, 16);
}

/** An enclave worker over HTTP: short calls on kept connections, frames on one endless response. */
export class EnclaveClient implements Enclave {
  readonly id: string;
  readonly #endpoint: Endpoint;
  readonly #stream: EnclaveStream;
  readonly #keepsStream: boolean;
  readonly #ownsAgent: boolean;
  readonly #around: <T>(call: () => Promise<T>) => Promise<T>;
  #listener: StreamListener | null = null;

  constructor(address: EnclaveAddress) {
    const url = new URL(address.url);
    this.id = address.id ?? nameEnclave(address.name ?? url.href);
    const options = { keepAlive: true, maxSockets: 64, maxFreeSockets: 16 };
    this.#ownsAgent = address.agent === undefined;
    const agent = address.agent ?? (url.protocol === 'https:' ? new TlsAgent(options) : new Agent(options));
    const { token, unreachable, headers, onForeign, onTokenRefused } = address;
    this.#endpoint = {
      url,
      token,
      agent,
      unreachable,
      ...(headers && { headers }),
      ...(onForeign && { onForeign }),
      ...(onTokenRefused && { onTokenRefused }),
    };
    this.#keepsStream = address.idleMs === undefined;
    this.#around = address.around ?? ((run) => run());
    const events = {
      record: (record: Uint8Array) => this.#listener?.record(this, record),
      opened: () => this.#listener?.opened(this),
      closed: (why: 'broken' | 'idle') => this.#listener?.closed(this, why),
    };
    this.#stream = new EnclaveStream(this.#endpoint, events, address.idleMs ?? null);
  }

  get connected(): boolean {
    return this.#stream.streamId !== null;
  }

  get seemsAway(): boolean {
    return this.#keepsStream && !this.connected;
  }

  listen(listener: StreamListener): void {
    this.#listener = listener;
  }

  connect(): void {
    this.#stream.connect();
  }

  prepare(): void {
    if (this.#keepsStream) this.connect();
  }

  /** A worker of before format 2 refuses the wish for it: asked again without, it gives a statement of format 1. */
  async askAttestation(request: EnclaveRequest): Promise<Attestation> {
    const ask = (body: EnclaveRequest, isNewToOlder: boolean) => {
      const call = { method: 'POST', path: '/evidence', body, answer: attestation, isNewToOlder } as const;
      return this.#around(() => callEnclave(this.#endpoint, { ...call, timeoutMs: callTimeoutMs }));
    };
    const { statement, ...plain } = request;
    if (statement === undefined) return ask(plain, false);
    try {
      return await ask(request, true);
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'bad-request') throw error;
      return ask(plain, false);
    }
  }

  askStatus(): Promise<WorkerStatusAnswer> {
    const call = { method: 'GET', path: '/status', answer: workerStatusAnswer } as const;
    return this.#around(() => callEnclave(this.#endpoint, { ...call, timeoutMs: statusTimeoutMs }));
  }

  /** The same without what is done around every call. */
  protected async probe(): Promise<void> {
    const call = { method: 'GET', path: '/status', answer: workerStatusAnswer } as const;
    await callEnclave(this.#endpoint, { ...call, timeoutMs: statusTimeoutMs });
  }

  startTurn(request: SealedRequestMessage): Promise<WorkerTurnAccepted> {
    const start = (streamId: string) => {
      const body = { format: 1, streamId, request };
      const call = { method: 'POST', path: '/turns', body, answer: workerTurnAccepted } as const;
      return callEnclave(this.#endpoint, { ...call, timeoutMs: turnTimeoutMs });
    };
    return this.#around(() => this.#stream.use(streamTimeoutMs, start));
  }

  async watch(turns: readonly WatchedTurn[]): Promise<void> {
    for (let start = 0; start < turns.length; start += maximumWatchedTurns) {
      const ask = (streamId: string) => {
        const body = { format: 1, streamId, turns: turns.slice(start, start + maximumWatchedTurns) };
        const call = { method: 'POST', path: '/watch', body, answer: workerDone } as const;
        return callEnclave(this.#endpoint, { ...call, timeoutMs: callTimeoutMs });
      };
      await this.#around(() => this.#stream.use(streamTimeoutMs, ask));
    }
  }

  async stopTurn(turnId: string, stopToken: string): Promise<void> {
    const call = { method: 'POST', path: '/stop', body: { format: 1, turnId, stopToken }, answer: workerDone } as const;
    await this.#around(() => callEnclave(this.#endpoint, { ...call, timeoutMs: callTimeoutMs }));
  }

  close(): void {
    this.#stream.close();
    if (this.#ownsAgent) this.#endpoint.agent.destroy();
  }
}
