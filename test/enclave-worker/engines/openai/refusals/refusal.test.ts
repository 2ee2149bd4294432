import { describe, expect, test } from 'vitest';
import { readRefusal, readRetryAfter } from '../../../../../enclave-worker/engines/openai/refusals/refusal.ts';
import { EngineError } from '../../../../../enclave-worker/engines/engine/engine.ts';
import type { UpstreamProblem } from '../../../../../enclave-worker/engines/openai/openai.ts';
import { collect } from '../../../../parts/machine/collect.ts';
import { ask, engineAt, plainQuestion, startAnswering } from '../../../../parts/worker/upstream/answering-server.ts';

const ok = 'data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\n';

describe('a refusal', () => {
  const message = (text: string, rest: object = {}) => ({ error: { message: text, ...rest } });
  test.each<readonly [status: number, body: unknown, reason: string]>([
    [401, { error: { code: 'invalid_api_key' } }, 'key-refused'],
    [400, message('API key not valid. Please pass a valid API key.'), 'key-refused'],
    [403, '<html>', 'key-refused'],
    [403, message('requires moderation on openai', { metadata: { flagged_input: 'x' } }), 'content-refused'],
    [404, message('model not found, pull it first'), 'model-unknown'],
    [404, message("model 'x' not found, try pulling it first"), 'model-unknown'],
    [404, message('The model `x` does not exist.', { code: 'model_not_found' }), 'model-unknown'],
    [400, message('Invalid model identifier "x". Please load one: no such model'), 'model-unknown'],
    [404, { detail: 'Not Found' }, 'not-a-model-server'],
    [404, '<html>404</html>', 'not-a-model-server'],
    [405, { detail: 'Method Not Allowed' }, 'not-a-model-server'],
    [301, '', 'not-a-model-server'],
    [200, '<!doctype html>', 'not-a-model-server'],
    [413, '<html>', 'request-too-large'],
    [413, message('Request Entity Too Large'), 'request-too-large'],
    [422, { error: '`inputs` tokens + `max_new_tokens` must be <= 4096' }, 'context-too-long'],
    [400, message("This model's maximum context length is 4096 tokens."), 'context-too-long'],
    [400, { message: "This model's maximum context length is 4096 tokens." }, 'context-too-long'],
    [
      400,
      message('the request exceeds the available context size', { type: 'exceed_context_size_error' }),
      'context-too-long',
    ],
    [
      400,
      message("The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
      'context-too-long',
    ],
    [400, message('prompt is too long: 200001 tokens > 200000 maximum'), 'context-too-long'],
    [
      400,
      message('Trying to keep the first 5000 tokens when context the overflows. … context length of only 4096'),
      'context-too-long',
    ],
    [400, message('decoder prompt (length 5000) is longer than the maximum model length of 4096'), 'context-too-long'],
    [500, message('input length exceeds maximum context length'), 'context-too-long'],
    [400, message('The response was filtered', { code: 'content_filter' }), 'content-refused'],
    [402, message('Insufficient credits'), 'quota-spent'],
    [429, message('You exceeded your current quota', { code: 'insufficient_quota' }), 'quota-spent'],
    [429, message('Rate limit reached'), 'model-overloaded'],
    [529, message('Overloaded', { type: 'overloaded_error' }), 'model-overloaded'],
    [503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 'model-loading'],
    [503, { error: 'Model x is currently loading', estimated_time: 20 }, 'model-loading'],
    [503, message('Service Unavailable'), 'model-overloaded'],
    [503, '<html>', 'server-failed'],
    [502, '<html>', 'server-failed'],
    [500, message('CUDA error'), 'server-failed'],
    [400, message('messages: roles must alternate'), 'model-refused'],
    [422, { detail: [{ loc: ['body'], msg: 'Extra inputs are not permitted' }] }, 'model-refused'],
    [408, '', 'server-failed'],
    [418, '', 'model-refused'],
  ])('with status %i and %j is %s', (status, body, reason) => {
    expect(readRefusal(status, body).reason).toBe(reason);
    expect(new EngineError(readRefusal(status, body).reason).code).toMatch(/^(model|context|too)-/);
  });

  test('gives the operator a code of a list, and no other word', () => {
    const body = { error: { code: 'invalid_api_key', message: 'a secret prompt' } };
    expect(readRefusal(401, body)).toEqual({
      reason: 'key-refused',
      status: 401,
      code: 'invalid_api_key',
      isPassing: false,
    });
    expect(readRefusal(401, { error: { code: 'a secret prompt', type: 'server_error' } }).code).toBe('server_error');
    expect(readRefusal(401, { error: { code: 'a secret prompt' } }).code).toBeNull();
  });

  test('names when to come back in seconds or as a date', () => {
    expect(readRetryAfter('3', 0)).toBe(3_000);
    expect(readRetryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 4_000)).toBe(5_000);
    expect(readRetryAfter('soon', 0)).toBeNull();
    expect(readRetryAfter(undefined, 0)).toBeNull();
  });
});

describe('a question', () => {
  const loading = '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}';

  /** Refuses so many times, then answers. */
  async function asked(times: number, status: number, body: string, headers: Record<string, string> = {}) {
    let requests = 0;
    await using server = await startAnswering((_request, _body, response) => {
      requests += 1;
      if (requests <= times) response.writeHead(status, headers).end(body);
      else response.writeHead(200).end(ok);
    });
    const pauses: number[] = [];
    const problems: UpstreamProblem[] = [];
    const engine = engineAt(server.url, {
      pause: (pauseMs) => Promise.resolve(void pauses.push(pauseMs)),
      onProblem: (problem) => problems.push(problem),
    });
    const answer = await ask(engine);
    await engine.close();
    return { answer, pauses, problems, requests };
  }

  test('waits for a model that is loaded, says so once, and is answered', async () => {
    const { answer, pauses, problems } = await asked(9, 503, loading);
    expect(answer).toMatchObject({ text: 'ok', notes: ['model-loading'], failure: null });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
    expect(problems).toEqual([]);
  });

  test('waits for ten minutes at most, and tells the operator', async () => {
    const { answer, pauses, problems } = await asked(1_000, 503, loading);
    expect(answer).toMatchObject({ text: '', failure: 'model-loading' });
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThanOrEqual(600_000);
    expect(pauses.length).toBeGreaterThan(100);
    expect(problems).toEqual([{ reason: 'model-loading', status: 503, code: 'unavailable_error' }]);
  });

  test('comes back when an overloaded server says, and not when that is too late', async () => {
    const soon = await asked(1, 429, '{"error":{"message":"Slow down"}}', { 'retry-after': '7' });
    expect([soon.answer.text, soon.pauses]).toEqual(['ok', [7_000]]);
    const late = await asked(1, 429, '{"error":{"message":"Slow down"}}', { 'retry-after': '3600' });
    expect([late.answer.failure, late.pauses]).toEqual(['model-overloaded', []]);
  });

  test.each([
    [401, '{"error":{"code":"invalid_api_key","message":"a secret prompt"}}', 'key-refused', 'invalid_api_key'],
    [404, '{"error":{"message":"model not found, pull it first"}}', 'model-unknown', null],
    [413, '<html>', 'request-too-large', null],
    [500, '{"error":{"message":"a secret prompt","type":"server_error"}}', 'server-failed', 'server_error'],
  ])(
    'with status %i is refused at once, and the operator gets one line without its words',
    async (status, body, reason, code) => {
      const { answer, pauses, problems, requests } = await asked(1, status, body);
      expect([answer.failure, pauses, requests]).toEqual([reason, [], 1]);
      expect(problems).toEqual([{ reason, status, code }]);
    },
  );

  test('is not asked twice once words of its answer came', async () => {
    let requests = 0;
    await using server = await startAnswering((_request, _body, response) => {
      requests += 1;
      response.end(
        'data: {"choices":[{"delta":{"content":"Te"}}]}\n\ndata: {"error":{"code":503,"message":"Loading model"}}\n\n',
      );
    });
    const engine = engineAt(server.url);
    expect(await ask(engine)).toMatchObject({ text: 'Te', failure: 'model-loading' });
    expect(requests).toBe(1);
    await engine.close();
  });

  test('that is stopped while it waits ends at once, and is no failure', async () => {
    await using server = await startAnswering((_request, _body, response) => response.writeHead(503).end(loading));
    const stop = new AbortController();
    const engine = engineAt(server.url, {
      pause: () => Promise.resolve(stop.abort()),
    });
    const events = await collect(engine.answer(plainQuestion, stop.signal));
    expect(events).toEqual([{ kind: 'note', note: { kind: 'cause', cause: 'model-loading' } }]);
    await engine.close();
  });

  test('comes through where the server had closed a kept connection', async () => {
    const sockets = new Set<{ destroy(): void }>();
    await using server = await startAnswering((request, _body, response) => {
      // Gone in the moment in which the next question is written to it.
      if (sockets.has(request.socket)) return void request.socket.destroy();
      sockets.add(request.socket);
      response.writeHead(200).end(ok);
    });
    const engine = engineAt(server.url);
    for (let i = 0; i < 3; i += 1) {
      expect((await ask(engine)).text).toBe('ok');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await engine.close();
  });
});
