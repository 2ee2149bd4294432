import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { type Engine, EngineError, type EngineEvent, type Question } from './engine.ts';
import { readEvents } from './event-stream.ts';
import { readShortJson, type UpstreamCaller } from './upstream-call.ts';

const idleMs = 300_000;
const probeMs = 2_000;

const chunkSchema = v.object({
  choices: v.optional(
    v.array(
      v.object({
        delta: v.nullish(
          v.object({
            content: v.nullish(v.string()),
            /** vLLM's name; others say `reasoning_content`. */
            reasoning: v.nullish(v.string()),
            reasoning_content: v.nullish(v.string()),
          }),
        ),
        finish_reason: v.nullish(v.string()),
      }),
    ),
    [],
  ),
  usage: v.nullish(v.object({ prompt_tokens: v.number(), completion_tokens: v.number() })),
  error: v.nullish(v.unknown()),
});
const modelsSchema = v.object({ data: v.pipe(v.array(v.object({ id: v.string() })), v.minLength(1)) });

export type ProbeResult = { readonly isReachable: boolean; readonly models: readonly string[] };

/** Any server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp, Ollama and others. */
export class OpenAiEngine implements Engine {
  readonly kind = 'openai';
  readonly weightsDigest: string | null;
  readonly model: string;
  readonly capacity: number;
  readonly #caller: UpstreamCaller;
  readonly #idleMs: number;
  readonly #onUnreachable: () => void;
  /** Some servers refuse fields that OpenAI's interface does not have. */
  #takesExtensions = true;

  constructor(input: {
    readonly caller: UpstreamCaller;
    readonly model: string;
    /** Of the files that the server was given; the server itself says nothing about them. */
    readonly weightsDigest?: string | null;
    readonly capacity?: number;
    readonly idleMs?: number;
    readonly onUnreachable?: () => void;
  }) {
    this.#caller = input.caller;
    this.model = input.model;
    this.weightsDigest = input.weightsDigest ?? null;
    this.capacity = input.capacity ?? 1000;
    this.#idleMs = input.idleMs ?? idleMs;
    this.#onUnreachable = input.onUnreachable ?? (() => {});
  }

  async *answer(question: Question, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    try {
      yield* this.#stream(await this.#ask(question, signal));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof EngineError && error.code === 'model-unreachable') this.#onUnreachable();
      // A socket's own error while reading: the stream was cut.
      throw error instanceof EngineError ? error : new EngineError('model-failed');
    }
  }

  close(): Promise<void> {
    this.#caller.close();
    return Promise.resolve();
  }

  /** Asks with the extensions; where a server refuses the request, once more without them. */
  async #ask(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#post(question, signal, this.#takesExtensions);
    if (response.statusCode === 200) return response;
    const failure = await failureOf(response);
    const mayBeExtensions = this.#takesExtensions && (response.statusCode === 400 || response.statusCode === 422);
    if (!mayBeExtensions || failure.code !== 'model-refused') throw failure;
    const second = await this.#post(question, signal, false);
    if (second.statusCode !== 200) throw await failureOf(second);
    this.#takesExtensions = false;
    return second;
  }

  #post(question: Question, signal: AbortSignal, withExtensions: boolean): Promise<IncomingMessage> {
    const { temperature, topP, maximumTokens, reasoning } = question.parameters;
    const body = {
      model: this.model,
      messages: question.messages.map(({ role, text }) => ({ role, content: text })),
      stream: true,
      stream_options: { include_usage: true },
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(maximumTokens === undefined ? {} : { max_tokens: maximumTokens }),
      // Closes the timing channel of a prefix cache that conversations share.
      ...(withExtensions ? { cache_salt: question.cacheSalt } : {}),
      ...(withExtensions && reasoning !== undefined ? { chat_template_kwargs: { enable_thinking: reasoning } } : {}),
    };
    return this.#caller.call({ path: '/chat/completions', body, signal, idleMs: this.#idleMs });
  }

  async *#stream(response: IncomingMessage): AsyncGenerator<EngineEvent> {
    let isFinished = false;
    let isLength = false;
    try {
      const chunks = response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const event of readEvents(chunks)) {
        if (event === '[DONE]') {
          isFinished = true;
          break;
        }
        const { choices, usage } = parseChunk(event);
        for (const { delta, finish_reason: reason } of choices) {
          const reasoning = delta?.reasoning ?? delta?.reasoning_content ?? '';
          if (reasoning !== '') yield { kind: 'reasoning', text: reasoning };
          const content = delta?.content ?? '';
          if (content !== '') yield { kind: 'text', text: content };
          if (reason === 'content_filter') throw new EngineError('model-refused');
          if (reason === 'length') isLength = true;
          if (reason !== null && reason !== undefined) isFinished = true;
        }
        if (usage !== null && usage !== undefined) yield usageEvent(usage.prompt_tokens, usage.completion_tokens);
      }
      // A stream that merely stops is cut, not finished.
      if (!isFinished) throw new EngineError('model-failed');
      if (isLength) yield { kind: 'length' };
    } finally {
      // Read to its end, the connection serves the next question; else it goes, and the server stops working.
      if (isFinished) response.resume();
      else response.destroy();
    }
  }
}

/** Counts as any server may write them; what is no count becomes 0. */
function usageEvent(prompt: number, reply: number): EngineEvent {
  const count = (value: number) => (Number.isSafeInteger(value) && value >= 0 ? value : 0);
  return { kind: 'usage', promptTokens: count(prompt), replyTokens: count(reply) };
}

function parseChunk(event: string): v.InferOutput<typeof chunkSchema> {
  let value: unknown;
  try {
    value = JSON.parse(event);
  } catch {
    throw new EngineError('model-failed');
  }
  const parsed = v.safeParse(chunkSchema, value);
  if (!parsed.success || (parsed.output.error !== undefined && parsed.output.error !== null)) {
    throw new EngineError('model-failed');
  }
  return parsed.output;
}

/** Reads an error body only to tell "too long" from the rest; nothing of it goes anywhere. */
async function failureOf(response: IncomingMessage): Promise<EngineError> {
  const status = response.statusCode ?? 0;
  const body = JSON.stringify(await readShortJson(response)) ?? '';
  if (
    status === 400 &&
    /context_length|exceed_context|context (length|size|window)|maximum.{0,20}context/i.test(body)
  ) {
    return new EngineError('context-too-long');
  }
  if (status === 429 || status === 503) return new EngineError('too-many-turns');
  return new EngineError(status >= 500 ? 'model-failed' : 'model-refused');
}

/** Asks a server whether it is up, and what it serves. A server without a list of models is up too. */
export async function probeServer(caller: UpstreamCaller, signal: AbortSignal): Promise<ProbeResult> {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(probeMs)]);
    const response = await caller.call({ path: '/models', signal: limited, idleMs: probeMs });
    const models = v.safeParse(modelsSchema, await readShortJson(response));
    // 502 and 503: a proxy without its server, or a server that still loads its model.
    const isReachable = (response.statusCode ?? 500) < 500;
    return { isReachable, models: models.success ? models.output.data.map(({ id }) => id) : [] };
  } catch {
    return { isReachable: false, models: [] };
  }
}
