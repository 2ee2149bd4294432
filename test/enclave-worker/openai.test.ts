import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError, type EngineEvent, type Question } from '../../enclave-worker/engines/engine.ts';
import { readEvents } from '../../enclave-worker/engines/event-stream.ts';
import { OpenAiEngine, probeServer } from '../../enclave-worker/engines/openai.ts';
import { UpstreamCaller } from '../../enclave-worker/engines/upstream-call.ts';
import { findFreePort } from '../parts/free-port.ts';
import { collect } from './collect.ts';
import { startUpstream, type Upstream } from '../parts/upstream.ts';

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
  return new OpenAiEngine({ caller: new UpstreamCaller(baseUrl, 'the-key'), model: 'test-model', ...options });
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
    return words.includes('secret') ? 'a failure that repeats the prompt' : error.code;
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
    [401, 'model-refused'],
    [404, 'model-refused'],
    [429, 'too-many-turns'],
    [500, 'model-failed'],
    [503, 'too-many-turns'],
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

  test('asks a strict server again without the extensions, and does not offer them again', async () => {
    const bodies: string[] = [];
    await using server = await serverWith((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      request.on('end', () => {
        bodies.push(body);
        if (body.includes('cache_salt')) {
          response.writeHead(400).end('{"error":{"message":"Unrecognized request argument: cache_salt"}}');
          return;
        }
        response.writeHead(200);
        response.end('data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
      });
    });
    const strict = engineAt(server.url);
    expect(await eventsOf(strict)).toEqual([{ kind: 'text', text: 'ok' }]);
    expect(await eventsOf(strict)).toEqual([{ kind: 'text', text: 'ok' }]);
    expect(bodies.map((body) => body.includes('cache_salt'))).toEqual([true, false, false]);
  });

  test('calls a stream that is cut failed, beside one that ends (M27)', async () => {
    upstream.answerWith({ ending: 'cut' });
    expect(await failureOf(eventsOf())).toBe('model-failed');
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
    expect(await failureOf(reading)).toMatch(/^model-(failed|unreachable)$/);
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
    ['a clean end without a last word', 'data: {"choices":[{"delta":{"content":"half"}}]}\n\n'],
    ['no JSON', 'data: {\n\n'],
    ['an error in the stream', 'data: {"error":{"message":"a secret prompt"}}\n\n'],
    ['content that is no text', 'data: {"choices":[{"delta":{"content":7}}]}\n\n'],
    ['an endless line', `data: ${'x'.repeat(1_100_000)}`],
    ['a filter', 'data: {"choices":[{"delta":{},"finish_reason":"content_filter"}]}\n\n'],
  ])('fails on %s', async (name, body) => {
    await using server = await serverWith((request, response) => {
      request.resume();
      response.writeHead(200).end(body);
    });
    expect(await failureOf(eventsOf(engineAt(server.url)))).toBe(
      name === 'a filter' ? 'model-refused' : 'model-failed',
    );
  });
});

describe('readEvents', () => {
  test('reads events whatever the cuts, line ends and comments', async () => {
    const bytes = new TextEncoder().encode(': hi\n\ndata: a\r\n\r\nevent: x\ndata:b🤫\ndata: c\n\n\ndata: d\n\n');
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const chunks = (async function* cut() {
        for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
      })();
      expect(await collect(readEvents(chunks))).toEqual(['a', 'b🤫\nc', 'd']);
    }
  });
});

describe('probeServer', () => {
  const signal = new AbortController().signal;
  const probe = (url: string) => probeServer(new UpstreamCaller(url, undefined), signal);

  test('lists the models of a server that is up', async () => {
    expect(await probe(upstream.baseUrl)).toEqual({ isReachable: true, models: ['test-model', 'other'] });
  });

  test('takes a server without a list for up, and one that is loading for not up yet', async () => {
    for (const [status, isReachable] of [
      [404, true],
      [401, true],
      [503, false],
      [502, false],
    ] as const) {
      await using server = await serverWith((_request, response) => response.writeHead(status).end('{}'));
      expect(await probe(server.url)).toEqual({ isReachable, models: [] });
    }
    expect(await probe(`http://127.0.0.1:${await findFreePort()}/v1`)).toEqual({ isReachable: false, models: [] });
  });
});
