import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError, type EngineEvent, type Question } from '../../../../enclave-worker/engines/engine/engine.ts';
import { OpenAiEngine } from '../../../../enclave-worker/engines/openai/openai.ts';
import { UpstreamCaller } from '../../../../enclave-worker/engines/openai/wire/upstream-call.ts';
import { findFreePort } from '../../../parts/network/free-port.ts';
import { collect } from '../../../parts/machine/collect.ts';
import { startUpstream, type Upstream } from '../../../parts/worker/upstream/upstream.ts';

let upstream: Upstream;
let engine: OpenAiEngine;
beforeEach(async () => {
  upstream = await startUpstream(['test-model', 'other']);
  engine = engineAt(upstream.baseUrl);
});
afterEach(async () => {
  await engine.close();
  await upstream.stop();
});

function engineAt(baseUrl: string, options: { idleMs?: number; onUnreachable?: () => void } = {}): OpenAiEngine {
  const caller = new UpstreamCaller(baseUrl, 'the-key');
  return new OpenAiEngine({ caller, model: 'test-model', pause: () => Promise.resolve(), ...options });
}

const question = (parameters: Question['parameters'] = {}): Question => ({
  messages: [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'a secret prompt' },
  ],
  parameters,
  cacheSalt: 'S'.repeat(43),
});

async function eventsOf(
  of = engine,
  asked = question(),
  signal = new AbortController().signal,
): Promise<EngineEvent[]> {
  return collect(of.answer(asked, signal));
}

/** The code of its failure, and proof that nothing else of an upstream is in the error. */
async function failureOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const words = JSON.stringify([error.message, error.stack, error.cause]);
    return words.includes('secret') ? 'a failure that repeats the prompt' : error.message;
  }
  return 'no failure';
}

async function serverWith(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

describe('OpenAiEngine', () => {
  test('streams text and usage, and asks as the request says', async () => {
    upstream.answerWith({ tokens: ['In a ', 'low ', 'voice 🤫.'] });
    const asked = question({ temperature: 0.5, topP: 0.9, maximumTokens: 7, reasoning: false });
    expect(await eventsOf(engine, asked)).toEqual([
      { kind: 'text', text: 'In a ' },
      { kind: 'text', text: 'low ' },
      { kind: 'text', text: 'voice 🤫.' },
      { kind: 'usage', promptTokens: 5, replyTokens: 3 },
    ]);
    expect(upstream.requests).toEqual([
      {
        authorization: 'Bearer the-key',
        isAborted: false,
        body: {
          model: 'test-model',
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'a secret prompt' },
          ],
          stream: true,
          stream_options: { include_usage: true },
          temperature: 0.5,
          top_p: 0.9,
          max_tokens: 7,
          cache_salt: 'S'.repeat(43),
          chat_template_kwargs: { enable_thinking: false },
        },
      },
    ]);
  });

  test('leaves out what the request leaves out', async () => {
    await eventsOf();
    expect(Object.keys(upstream.requests[0]!.body).toSorted()).toEqual([
      'cache_salt',
      'messages',
      'model',
      'stream',
      'stream_options',
    ]);
  });

  test.each(['reasoning', 'reasoning_content'] as const)('gives %s deltas as reasoning', async (reasoningField) => {
    upstream.answerWith({ reasoning: ['Hm', 'm.'], reasoningField, tokens: ['Yes.'] });
    expect((await eventsOf()).slice(0, 3)).toEqual([
      { kind: 'reasoning', text: 'Hm' },
      { kind: 'reasoning', text: 'm.' },
      { kind: 'text', text: 'Yes.' },
    ]);
  });

  test('says when the server stopped at a limit', async () => {
    upstream.answerWith({ finishReason: 'length' });
    expect((await eventsOf()).at(-1)).toEqual({ kind: 'length' });
  });

  test('keeps its connection for the next question', async () => {
    let connections = 0;
    await using server = await serverWith((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
      if (request.socket.listenerCount('counted') === 0) connections += 1;
      request.socket.once('counted', () => {});
    });
    const other = engineAt(server.url);
    for (let i = 0; i < 5; i += 1) await eventsOf(other);
    // The second question may come before the first connection is known to be free.
    expect(connections).toBeLessThanOrEqual(2);
    await other.close();
  });

  test.each([
    [400, 'model-refused'],
    [401, 'key-refused'],
    [402, 'quota-spent'],
    [403, 'key-refused'],
    [404, 'not-a-model-server'],
    [413, 'request-too-large'],
    [422, 'model-refused'],
    [429, 'model-overloaded'],
    [500, 'server-failed'],
    [502, 'server-failed'],
    [503, 'model-overloaded'],
  ])('maps HTTP %i to %s, and lets nothing of the body through', async (status, code) => {
    upstream.answerWith({ failWith: status });
    expect(await failureOf(eventsOf())).toBe(code);
    upstream.answerWith({});
    expect(await failureOf(eventsOf())).toBe('no failure');
  });

  test.each([
    '{"error":{"message":"...","code":"context_length_exceeded"}}',
    '{"message":"This model\'s maximum context length is 4096 tokens"}',
    '{"error":{"type":"exceed_context_size_error"}}',
  ])('knows %s as a question that is too long', async (body) => {
    await using server = await serverWith((request, response) => {
      request.resume();
      response.writeHead(400, { 'content-type': 'application/json' }).end(body);
    });
    expect(await failureOf(eventsOf(engineAt(server.url)))).toBe('context-too-long');
  });

  test('calls a stream that is cut failed, beside one that ends (M27)', async () => {
    upstream.answerWith({ ending: 'cut' });
    expect(await failureOf(eventsOf())).toBe('answer-cut');
    upstream.answerWith({ ending: 'done' });
    expect(await failureOf(eventsOf())).toBe('no failure');
  });

  test('gives up on a server that says nothing more', async () => {
    upstream.answerWith({ ending: 'hang' });
    const events: EngineEvent[] = [];
    const hanging = engineAt(upstream.baseUrl, { idleMs: 200 });
    const reading = (async () => {
      for await (const event of hanging.answer(question(), new AbortController().signal)) events.push(event);
    })();
    expect(await failureOf(reading)).toMatch(/^(answer-cut|model-unreachable)$/);
    expect(events).toHaveLength(4);
    await hanging.close();
  });

  test('a stop ends the call at the server, and is no failure', async () => {
    upstream.answerWith({ tokens: Array.from({ length: 1000 }, () => 'x'), delayMs: 10 });
    const abort = new AbortController();
    let count = 0;
    for await (const event of engine.answer(question(), abort.signal)) {
      if (event.kind === 'text') count += 1;
      if (count === 3) abort.abort();
    }
    expect(count).toBe(3);
    while (!upstream.requests[0]!.isAborted) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('a consumer that leaves ends the call at the server', async () => {
    upstream.answerWith({ tokens: Array.from({ length: 1000 }, () => 'x'), delayMs: 10 });
    for await (const event of engine.answer(question(), new AbortController().signal)) {
      expect(event.kind).toBe('text');
      break;
    }
    while (!upstream.requests[0]!.isAborted) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('says that a server is not there, and tells whoever watches for it', async () => {
    let told = 0;
    const lost = engineAt(`http://127.0.0.1:${await findFreePort()}/v1`, { onUnreachable: () => (told += 1) });
    expect(await failureOf(eventsOf(lost))).toBe('model-unreachable');
    expect(told).toBe(1);
  });

  test.each([
    ['a clean end without a last word', 'data: {"choices":[{"delta":{"content":"half"}}]}\n\n', 'answer-cut'],
    ['no JSON', 'data: {\n\n', 'answer-unreadable'],
    ['an event that is cut', 'data: {"choices":[{"delta":{"content":"half"}}]}\n\ndata: {"choi', 'answer-cut'],
    ['an error in the stream', 'data: {"error":{"message":"a secret prompt"}}\n\n', 'server-failed'],
    ['an endless line', `data: ${'x'.repeat(9_000_000)}`, 'answer-unreadable'],
    ['a filter', 'data: {"choices":[{"delta":{},"finish_reason":"content_filter"}]}\n\n', 'content-refused'],
    ['a web page', '<!doctype html><title>Hello</title>', 'not-a-model-server'],
    ['other JSON', '{"hello":"there"}', 'not-a-model-server'],
    ['nothing', '', 'answer-cut'],
  ])('fails on %s', async (_name, body, code) => {
    await using server = await serverWith((request, response) => {
      request.resume();
      response.writeHead(200).end(body);
    });
    expect(await failureOf(eventsOf(engineAt(server.url)))).toBe(code);
  });
});
