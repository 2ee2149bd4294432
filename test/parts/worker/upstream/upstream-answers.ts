import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the peer answers chat completions from now on. Everything left out has the default named here. */
export interface UpstreamScript {
  /** Text deltas, in order, or made of the newest message. Default: `['In ', 'a ', 'low ', 'voice.']`. */
  readonly tokens?: readonly string[] | ((newestMessage: string) => readonly string[]);
  /** Reasoning deltas, sent before the text. Default: none. */
  readonly reasoning?: readonly string[];
  /** vLLM says `reasoning`, older servers and others `reasoning_content`. Default: `reasoning`. */
  readonly reasoningField?: 'reasoning' | 'reasoning_content';
  /** Pause before each delta. Default: 0. */
  readonly delayMs?: number;
  /** Default: `stop`. */
  readonly finishReason?: 'stop' | 'length' | 'content_filter';
  /** `cut` destroys the connection after the last delta, `hang` then says nothing for ever. Default: `done`. */
  readonly ending?: 'done' | 'cut' | 'hang';
  /** Reads so many characters of a conversation and refuses a longer one, as a model with a small context does. */
  readonly contextCharacters?: number;
  /** Answers this HTTP status instead, with a body that repeats the prompt, as real servers do. */
  readonly failWith?: number;
}

/** The parts of a chat completion request that tests look at. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly [parameter: string]: unknown;
}

/** Responses that `ending: 'cut'` broke off, as against those whose reader went away. */
export const cutByScript = new WeakSet<ServerResponse>();

const defaultTokens = ['In ', 'a ', 'low ', 'voice.'];

/** Answers one chat completion as the script says, streamed when the request asks for it. */
export async function answerChat(script: UpstreamScript, body: ChatRequest, response: ServerResponse): Promise<void> {
  const { reasoning = [], reasoningField = 'reasoning', finishReason = 'stop' } = script;
  const tokens = tokensFor(script, body);
  const envelope = { id: 'chatcmpl-1', created: 1_750_000_000, model: body.model };
  const usage = usageOf(body, tokens.length + reasoning.length);
  if (body.stream !== true) {
    const message = { role: 'assistant', content: tokens.join(''), [reasoningField]: reasoning.join('') };
    const choices = [{ index: 0, message, finish_reason: finishReason }];
    sendJson(response, 200, { ...envelope, object: 'chat.completion', choices, usage });
    return;
  }
  const chunk = (rest: object) =>
    writeEvent(response, JSON.stringify({ ...envelope, object: 'chat.completion.chunk', ...rest }));
  const delta = (content: object, finish: string | null = null) =>
    chunk({ choices: [{ index: 0, delta: content, finish_reason: finish }] });

  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  await delta({ role: 'assistant', content: '' });
  for (const content of [
    ...reasoning.map((text) => ({ [reasoningField]: text })),
    ...tokens.map((text) => ({ content: text })),
  ]) {
    if (script.delayMs !== undefined) await sleep(script.delayMs);
    if (response.destroyed) return;
    await delta(content);
  }
  if (script.ending === 'hang') return;
  if (script.ending === 'cut') {
    cutByScript.add(response);
    response.destroy();
    return;
  }
  await delta({}, finishReason);
  if (body.stream_options?.include_usage === true) await chunk({ choices: [], usage });
  await writeEvent(response, '[DONE]');
  response.end();
}

function tokensFor({ tokens = defaultTokens }: UpstreamScript, body: ChatRequest): readonly string[] {
  return typeof tokens === 'function' ? tokens(newestMessage(body)) : tokens;
}

/** Gives what a chat completion asks at last. */
export function newestMessage({ messages }: ChatRequest): string {
  const content = messages.at(-1)?.content;
  return typeof content === 'string' ? content : '';
}

/** Refuses with a body that repeats the prompt: whoever logs or forwards error bodies leaks it. */
export function fail(status: number, body: ChatRequest, response: ServerResponse): void {
  const message = `Could not process: ${JSON.stringify(body.messages)}`;
  sendJson(response, status, { error: { message, type: 'server_error', code: status } });
}

/** @returns whether a conversation was too long, and refused. */
export function refuseLong(script: UpstreamScript, body: ChatRequest, response: ServerResponse): boolean {
  const length = body.messages.reduce((sum, { content }) => sum + String(content).length, 0);
  if (length <= (script.contextCharacters ?? Number.POSITIVE_INFINITY)) return false;
  const message = `This model's maximum context length is ${script.contextCharacters} tokens.`;
  sendJson(response, 400, { error: { message, type: 'BadRequestError', code: 400 } });
  return true;
}

/** Sends one JSON document. */
export function sendJson(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

/** Reads a whole request body as text. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Resolves when the event is handed to the socket, so that `cut` never overtakes a token. */
function writeEvent(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.write(`data: ${text}\n\n`, () => resolve());
  });
}

/** One token a word of the prompt: wrong for every real model, and easy to foresee in a test. */
function usageOf(body: ChatRequest, completionTokens: number): object {
  const promptTokens = body.messages.flatMap(({ content }) => String(content).split(/\s+/)).length;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
