import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplyCause } from '../../../crypto/protocol/contents/reply-note.ts';
import { type Engine, EngineError, type EngineEvent, type Question } from '../engine/engine.ts';
import { readAnswer } from './answer/answer-stream.ts';
import { chatBody, isWanted } from './chat-request.ts';
import { systemRefused } from './refusals/complaint-words.ts';
import { ExtensionSwitches, extensions, type Extension } from './refusals/extensions.ts';
import { readRefusal, readRetryAfter, type Refusal, UpstreamRefusal } from './refusals/refusal.ts';
import { SilentServer } from '../engine/silent-server.ts';
import { readShortBody, type UpstreamCaller } from './wire/upstream-call.ts';

const idleMs = 300_000;

/** How long a question waits for what passes by itself, and how often it knocks. */
const patience: Readonly<Partial<Record<Refusal['reason'], { first: number; longest: number; total: number }>>> = {
  'model-loading': { first: 1_000, longest: 5_000, total: 600_000 },
  'model-overloaded': { first: 1_000, longest: 15_000, total: 60_000 },
  'server-failed': { first: 500, longest: 2_000, total: 5_000 },
};

/** For the operator: what a server refused, without a word of a conversation. */
export type UpstreamProblem = { readonly reason: string; readonly status: number; readonly code: string | null };

export type Pause = (pauseMs: number, signal: AbortSignal) => Promise<void>;

/** Any server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp, Ollama and others. */
export class OpenAiEngine implements Engine {
  readonly kind = 'openai';
  readonly weightsDigest: string | null;
  readonly accepts = [];
  /** Servers do not agree on where they say it. */
  readonly contextTokens = null;
  readonly model: string;
  readonly capacity: number;
  readonly #caller: UpstreamCaller;
  /** The server's name for the model. */
  readonly serverModel: string;
  readonly #idleMs: number;
  readonly #onUnreachable: () => void;
  readonly #onUnknownModel: () => void;
  readonly #isStillServed: () => Promise<boolean | null>;
  readonly #mayAnswer: (model: string) => boolean;
  readonly #needsSalt: boolean;
  /** The generation of the connections to the server whose list was read. */
  #generation: number;
  readonly #onProblem: (problem: UpstreamProblem) => void;
  readonly #pause: Pause;
  readonly #switches: ExtensionSwitches;

  constructor(input: {
    readonly caller: UpstreamCaller;
    /** The name that clients ask for. */
    readonly model: string;
    /** The server's name for it, where that is another. */
    readonly serverModel?: string;
    /** The digest of the files that the server was given; the server itself says nothing about them. */
    readonly weightsDigest?: string | null;
    /** Nothing is asked without the salt that keeps prompt caches apart. */
    readonly needsSalt?: boolean;
    readonly capacity?: number;
    readonly idleMs?: number;
    readonly onUnreachable?: () => void;
    /** The server says that it has no such model. */
    readonly onUnknownModel?: () => void;
    /** Asked before an answer of a server that may have been restarted is given out; null: it does not say. */
    readonly isStillServed?: () => Promise<boolean | null>;
    /** True if a reply that names this model as its own may be this model's. */
    readonly mayAnswer?: (model: string) => boolean;
    readonly onProblem?: (problem: UpstreamProblem) => void;
    readonly pause?: Pause;
    readonly nowMs?: () => number;
  }) {
    this.#caller = input.caller;
    this.model = input.model;
    this.serverModel = input.serverModel ?? input.model;
    this.weightsDigest = input.weightsDigest ?? null;
    this.capacity = input.capacity ?? 1000;
    this.#idleMs = input.idleMs ?? idleMs;
    this.#onUnreachable = input.onUnreachable ?? (() => {});
    this.#onUnknownModel = input.onUnknownModel ?? (() => {});
    this.#isStillServed = input.isStillServed ?? (async () => true);
    this.#mayAnswer = input.mayAnswer ?? (() => true);
    this.#needsSalt = input.needsSalt ?? false;
    this.#generation = input.caller.generation;
    this.#onProblem = input.onProblem ?? (() => {});
    this.#pause = input.pause ?? pauseFor;
    this.#switches = new ExtensionSwitches(input.needsSalt ?? false, input.nowMs ?? (() => performance.now()));
  }

  async *answer(question: Question, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    let waitedMs = 0;
    let said: ReplyCause | null = null;
    for (let round = 0; ; round += 1) {
      let hasSpoken = false;
      try {
        const response = await this.#askOnlyThis(question, signal);
        for await (const event of readAnswer(response, this.#mayAnswer)) {
          hasSpoken ||= event.kind !== 'usage';
          yield event;
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        const pauseMs = hasSpoken ? null : pauseAfter(error, round, waitedMs);
        if (pauseMs === null) throw this.#tell(error);
        // A waiting client is told why, once.
        const { cause } = error as EngineError;
        if (cause !== undefined && cause !== said) yield { kind: 'note', note: { kind: 'cause', cause } };
        said = cause ?? said;
        waitedMs += pauseMs;
        await this.#pause(pauseMs, signal);
        if (signal.aborted) return;
      }
    }
  }

  close(): Promise<void> {
    this.#caller.close();
    return Promise.resolve();
  }

  #tell(error: unknown): EngineError {
    // A socket's own error while reading: the stream was cut.
    const known = error instanceof EngineError ? error : new EngineError('answer-cut');
    if (known.code === 'model-unreachable') this.#onUnreachable();
    if (known.cause === 'model-unknown') this.#onUnknownModel();
    const status = known.code === 'model-unreachable' ? 0 : 200;
    const code = known instanceof SilentServer ? known.why : null;
    const refusal = known instanceof UpstreamRefusal ? known.refusal : { status, code };
    this.#onProblem({ reason: known.message, status: refusal.status, code: refusal.code });
    return known;
  }

  /**
   * Gives a reply out only where it is this model's: many servers reply with whatever they were restarted with, under
   * any name.
   */
  async #askOnlyThis(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#ask(question, signal);
    const { generation } = this.#caller;
    if (generation === this.#generation) return response;
    const isServed = await this.#isStillServed().catch(() => null);
    // Strangers see what is said of a model: then not knowing is not enough.
    if (isServed === false || (isServed === null && this.#needsSalt)) {
      response.destroy();
      throw new EngineError(isServed === false ? 'model-unknown' : 'model-unreachable');
    }
    this.#generation = isServed === null ? this.#generation : generation;
    return response;
  }

  /** Asks with all extensions that the server takes; where it refuses the request, without those that it does not know. */
  async #ask(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const wanted = extensions.filter((extension) => this.#switches.isOn(extension) && isWanted(extension, question));
    const send = (dropped: readonly Extension[]) =>
      this.#post(
        question,
        signal,
        wanted.filter((extension) => !dropped.includes(extension)),
      );
    let dropped: readonly Extension[] = [];
    let response = await send(dropped);
    let refused: Refused | null = null;
    // Goes on as long as each complaint names one that was still there.
    while (!isAnswer(response)) {
      refused = await refusedBy(response);
      const left = wanted.filter((extension) => !dropped.includes(extension));
      const named = this.#switches.namedIn(refused.complaint, left);
      if (named.length === 0) break;
      if (!this.#switches.mayDrop(named)) {
        throw new UpstreamRefusal({ ...refused.error.refusal, reason: 'salt-refused' });
      }
      dropped = [...dropped, ...named];
      response = await send(dropped);
    }
    if (isAnswer(response)) {
      this.#switches.switchOff(dropped);
      return response;
    }
    const left = refused?.mayBeAny === true ? wanted.filter((extension) => !dropped.includes(extension)) : [];
    for (const trial of this.#switches.trials(left)) {
      response = await send([...dropped, ...trial]);
      if (isAnswer(response)) {
        this.#switches.switchOff([...dropped, ...trial]);
        return response;
      }
      await refusedBy(response);
    }
    throw refused?.error ?? new EngineError('model-refused');
  }

  #post(question: Question, signal: AbortSignal, sent: readonly Extension[]): Promise<IncomingMessage> {
    const body = chatBody(this.serverModel, question, sent);
    return this.#caller.call({ path: '/chat/completions', body, signal, idleMs: this.#idleMs });
  }
}

function isAnswer({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** @returns null when nothing is waited for, or no longer. */
function pauseAfter(error: unknown, round: number, waitedMs: number): number | null {
  if (!(error instanceof UpstreamRefusal) || !error.refusal.isPassing) return null;
  const limits = patience[error.refusal.reason];
  if (limits === undefined) return null;
  const pauseMs = error.retryAfterMs ?? Math.min(limits.first * 2 ** Math.min(round, 10), limits.longest);
  return waitedMs + pauseMs > limits.total ? null : Math.max(pauseMs, 100);
}

async function pauseFor(pauseMs: number, signal: AbortSignal): Promise<void> {
  await sleep(pauseMs, undefined, { signal }).catch(() => {});
}

/** `complaint` is looked at for the names of extensions, and goes no further. */
type Refused = {
  readonly error: UpstreamRefusal;
  readonly complaint: string;
  /** Any extension may be the reason, also one that the complaint does not name. */
  readonly mayBeAny: boolean;
};

/** @throws {UpstreamRefusal} where it is clear that no extension is the reason. */
async function refusedBy(response: IncomingMessage): Promise<Refused> {
  const body = await readShortBody(response);
  const retryAfterMs = readRetryAfter(response.headers['retry-after'], Date.now());
  const error = new UpstreamRefusal(readRefusal(response.statusCode ?? 0, body), retryAfterMs);
  const complaint = typeof body === 'string' ? body : JSON.stringify(body);
  const mayBeAny = [400, 422].includes(response.statusCode ?? 0) && error.refusal.reason === 'model-refused';
  // A template's own exception, which some servers take for a fault of theirs.
  const mayBeSystem = [400, 422, 500].includes(response.statusCode ?? 0) && systemRefused.test(complaint);
  if (!mayBeAny && !mayBeSystem) throw error;
  return { error, complaint, mayBeAny };
}
