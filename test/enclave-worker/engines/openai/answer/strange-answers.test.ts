import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readRefusal } from '../../../../../enclave-worker/engines/openai/refusals/refusal.ts';
import { ask, engineAt, type ReadAnswer, startAnswering } from '../../../../parts/worker/upstream/answering-server.ts';

/* Answers of servers by their behaviour, read by the real engine over HTTP: what no recording holds. */

const done: ReadAnswer = { text: 'quetzal', thoughts: '', usage: null, isLength: false, notes: [], failure: null };
const failed = (failure: string, text = ''): ReadAnswer => ({ ...done, text, failure });
/** A fault that passes by itself is waited for, and said. */
const waited = (failure: string): ReadAnswer => ({ ...failed(failure), notes: [failure] });

async function read(body: string | Buffer, headers: Record<string, string> = {}): Promise<ReadAnswer> {
  await using server = await startAnswering((_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers }).end(body);
  });
  const engine = engineAt(server.url);
  const answer = await ask(engine);
  await engine.close();
  return answer;
}

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: unknown, finish: unknown = null, more: object = {}) =>
  event({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish, ...more }] });
const stopped = chunk({ content: 'quetzal' }, 'stop');
const end = 'data: [DONE]\n\n';

describe('an answer is read', () => {
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    [
      'text-generation-webui: delta beside the whole so far',
      chunk({ content: 'quetzal' }, 'stop', { message: { content: 'quetzal' } }),
      done,
    ],
    ['LocalAI: an empty reason before the end', chunk({ content: 'quetzal' }, '') + end, done],
    ['KoboldCpp: named events and no [DONE]', `event: message\n${stopped}`, done],
    ['DeepSeek: keep-alive comments and blank lines first', `\n\n: keep-alive\n\n: keep-alive\n\n${stopped}`, done],
    [
      'Groq: counts in a member of its own',
      chunk({ content: 'quetzal' }, 'stop') +
        event({ choices: [], x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2 } } }) +
        end,
      { ...done, usage: [1, 2] },
    ],
    [
      'Gemini: thoughts that are marked beside the text',
      chunk({ content: 'Hm.', extra_content: { google: { thought: true } } }) + stopped,
      { ...done, thoughts: 'Hm.' },
    ],
    ['Anthropic: pings between the events', `event: ping\ndata: {"type":"ping"}\n\n${stopped}`, done],
    [
      'Workers AI: its own form, streamed',
      event({ response: 'quet', p: 'abcd' }) + event({ response: 'zal' }) + end,
      done,
    ],
    [
      'Workers AI: its own form, whole, with empty lists of errors',
      '{"result":{"response":"quetzal"},"success":true,"errors":[],"messages":[]}',
      done,
    ],
    [
      'a gateway that wraps the whole answer',
      JSON.stringify({
        success: true,
        errors: [],
        result: { choices: [{ message: { content: 'quetzal' }, finish_reason: 'stop' }] },
      }),
      done,
    ],
    ['a prefix twice', stopped.replace('data: ', 'data: data: ') + end, done],
    [
      'numbers that JSON does not have',
      `data: {"choices":[{"index":0,"delta":{"content":"quetzal"},"logprobs":{"x":[NaN,-Infinity]},"finish_reason":"stop"}]}\n\n`,
      done,
    ],
    [
      'such words inside a text stay words',
      chunk({ content: 'NaN, -Infinity' }, 'stop'),
      { ...done, text: 'NaN, -Infinity' },
    ],
    [
      'counts as texts',
      chunk({ content: 'quetzal' }, 'stop') +
        event({ choices: [], usage: { prompt_tokens: '14', completion_tokens: '8' } }),
      { ...done, usage: [14, 8] },
    ],
    [
      'several choices, numbered by texts',
      event({ choices: [{ index: '1', delta: { content: 'NO' } }] }) +
        event({ choices: [{ index: '0', delta: { content: 'quetzal' }, finish_reason: 'stop' }] }),
      done,
    ],
    ['a delta that is a text', event({ choices: [{ index: 0, delta: 'quetzal', finish_reason: 'stop' }] }), done],
    ...[
      { message: '', type: '', param: '', code: null },
      { message: null, code: 0, details: {} },
    ].map(
      (error) =>
        [
          `One API: an error that says nothing, ${JSON.stringify(error)}`,
          event({ choices: [{ index: 0, delta: { content: 'quetzal' }, finish_reason: 'stop' }], error }),
          done,
        ] as const,
    ),
    [
      'a gateway that puts the whole answer into its data',
      JSON.stringify({
        code: 200,
        msg: 'ok',
        data: { choices: [{ message: { content: 'quetzal' }, finish_reason: 'stop' }] },
      }),
      done,
    ],
    [
      'comments before a document over many lines',
      `: PROCESSING\n\n: PROCESSING\n\n${JSON.stringify({ choices: [{ message: { content: 'quetzal' } }] }, null, 2)}`,
      done,
    ],
    ['[DONE] twice, and more behind it', stopped + end + end + chunk({ content: 'NO' }), done],
    [
      'a role alone, an empty delta, content null',
      chunk({ role: 'assistant' }) + chunk({}) + chunk({ content: null }) + stopped,
      done,
    ],
    [
      'thoughts that are encrypted say nothing',
      chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'AAAA' }] }) + stopped,
      done,
    ],
    [
      'logprobs and annotations beside the text',
      chunk({ content: 'quetzal', annotations: [] }, 'stop', {
        logprobs: { content: [{ token: 'quetzal', logprob: -1 }] },
      }),
      done,
    ],
    [
      'one line of five million characters',
      chunk({ content: 'q'.repeat(5_000_000) }, 'stop'),
      { ...done, text: 'q'.repeat(5_000_000) },
    ],
    ['an older limit by its name', chunk({ content: 'quetzal' }, 'max_length'), { ...done, isLength: true }],
    [
      'a full window by its name',
      chunk({ content: 'quetzal' }, 'model_context_window_exceeded'),
      { ...done, isLength: true },
    ],
    ...['eos', 'stop_sequence', 'end_turn', 'tool_calls', 'function_call', 'STOP'].map(
      (finish) => [`the reason ${finish}`, chunk({ content: 'quetzal' }, finish), done] as const,
    ),
  ])('%s', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });

  test.each(['none', 'utf-8', 'UTF8'])('with a coding %s, which is none', async (coding) => {
    expect(await read(stopped, { 'content-encoding': coding })).toEqual(done);
  });

  test('though a proxy took the compression away and left its header, also in pieces', async () => {
    for (const coding of ['gzip', 'deflate', 'br', 'zstd']) {
      expect(await read(stopped, { 'content-encoding': coding }), coding).toEqual(done);
    }
    expect(await read(gzipSync(stopped), { 'content-encoding': 'gzip' })).toEqual(done);
    expect(await read(deflateSync(stopped), { 'content-encoding': 'deflate' })).toEqual(done);
  });
});

describe('a reply that is no answer says its own cause', () => {
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    [
      'Groq: an error beside empty choices',
      event({ choices: [], x_groq: { error: 'over capacity' } }),
      waited('model-overloaded'),
    ],
    [
      'Anthropic: overloaded in the stream',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      waited('model-overloaded'),
    ],
    [
      'Azure: a filter as an error',
      event({ error: { code: 'content_filter', message: 'The response was filtered', status: 400 } }),
      failed('content-refused'),
    ],
    ['Zhipu: what is sensitive', chunk({ content: 'quet' }, 'sensitive'), failed('content-refused', 'quet')],
    ['Anthropic: a refusal as the reason', chunk({ content: 'quet' }, 'refusal'), failed('content-refused', 'quet')],
    [
      'DeepSeek: no machine left',
      chunk({ content: 'quet' }, 'insufficient_system_resource'),
      failed('server-failed', 'quet'),
    ],
    [
      'MiniMax: an empty balance with status 200',
      '{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}',
      failed('quota-spent'),
    ],
    [
      'Workers AI: no success',
      '{"success":false,"errors":[{"code":5007,"message":"No such model"}],"result":null}',
      failed('model-unknown'),
    ],
    [
      'Gemini: an error inside a list',
      '[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]',
      failed('key-refused'),
    ],
    [
      'Qianfan: a code and its words with status 200',
      '{"error_code":110,"error_msg":"Access token invalid: unauthorized"}',
      failed('key-refused'),
    ],
    [
      'Spark: a code beside a message',
      '{"code":11200,"message":"insufficient quota","sid":"x"}',
      failed('quota-spent'),
    ],
    [
      'Lambda: its own fault with status 200',
      '{"errorMessage":"Task timed out after 3.00 seconds","errorType":"x"}',
      failed('server-failed'),
    ],
    ['a page behind a comment', ': keep-alive\n\n<html><body>502</body></html>', failed('not-a-model-server')],
    ['an error that is only true', '{"error":true,"message":"boom"}', failed('server-failed')],
    ['an error that is a number', '{"error":503,"message":"loading"}', waited('model-loading')],
    [
      'a page with status 200',
      '\uFEFF\n  <!DOCTYPE html><html><body>Bad gateway</body></html>',
      failed('not-a-model-server'),
    ],
    ['a page inside an event', 'data: <html><body>502</body></html>\n\n', failed('answer-cut')],
    [
      'a stream that is cut inside a line',
      `${chunk({ content: 'quet' })}data: {"choices":[{"delta":{"con`,
      failed('answer-cut', 'quet'),
    ],
    ['an empty body', '', failed('answer-cut')],
  ])('%s', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });

  test.each([
    ['counts alone', event({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 0 } }) + end],
    [
      'tools alone',
      chunk({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }) + chunk({}, 'tool_calls') + end,
    ],
    ['an end alone', end],
  ])('%s: no word is given out', async (_name, body) => {
    expect((await read(body)).text).toBe('');
  });
});

test.each([
  [
    'a list with an error in it',
    400,
    [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.' } }],
    'key-refused',
  ],
  ['a list of validation errors', 422, { detail: [{ loc: ['body'], msg: 'prompt is too long' }] }, 'context-too-long'],
  ['a complaint named msg', 400, { code: 1113, msg: 'insufficient balance' }, 'quota-spent'],
  ['errors in a list', 404, { success: false, errors: [{ message: 'No such model' }] }, 'model-unknown'],
  ['an overloaded server with status 500', 500, { error: { message: 'The server is overloaded' } }, 'model-overloaded'],
  ['a broken server with status 500', 500, { error: { message: 'Internal error' } }, 'server-failed'],
  [
    'what was asked for is repeated there',
    400,
    { detail: [{ input: 'is my api key spent', msg: 'Field required' }] },
    'model-refused',
  ],
])('a refusal: %s', (_name, status, body, reason) => {
  expect(readRefusal(status, body).reason).toBe(reason);
});
