import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ask, engineAt, type ReadAnswer, startAnswering } from '../../../../parts/worker/upstream/answering-server.ts';

/* Answers as the servers write them, read by the real engine over HTTP. */

const folder = join(import.meta.dirname, 'recorded');
const whole: ReadAnswer = {
  text: 'Teal is **blue-green**.',
  thoughts: '',
  usage: [14, 8],
  isLength: false,
  notes: [],
  failure: null,
};
const thoughtful: ReadAnswer = { ...whole, thoughts: 'Hm, a colour.' };
const done: ReadAnswer = { ...whole, text: 'quetzal done', usage: null };
const failed = (failure: string): ReadAnswer => ({ ...whole, text: '', usage: null, failure });

const expected: Readonly<Record<string, ReadAnswer>> = {
  'azure.sse': whole,
  'gpt-oss-harmony.sse': { ...thoughtful, usage: null },
  'litellm.sse': whole,
  'llama-server-error.sse': { ...failed('server-failed'), text: 'Teal' },
  'llama-server-older-error.sse': { ...failed('server-failed'), text: 'Teal' },
  'llama-server.sse': whole,
  'lm-studio-error.sse': failed('server-failed'),
  'lm-studio.sse': { ...thoughtful, usage: null },
  'mistral-parts.sse': thoughtful,
  'mistral-rs.sse': whole,
  'ollama-native.ndjson': thoughtful,
  'ollama.sse': thoughtful,
  'openrouter-error.sse': { ...failed('server-failed'), notes: ['server-failed'] },
  'openrouter.sse': thoughtful,
  'r1-closing-only.sse': { ...thoughtful, usage: null },
  'sglang.sse': thoughtful,
  'tgi-error.sse': failed('server-failed'),
  'tgi.sse': whole,
  'vllm-reasoning.sse': { ...whole, text: 'Teal.', thoughts: 'A colour is asked for.' },
  'vllm.sse': whole,
  'kind-choices-null.sse': { ...done, usage: [3, 2] },
  'kind-cr.sse': done,
  'kind-data-null.sse': { ...done, thoughts: 'hm' },
  'kind-error-object.sse': failed('quota-spent'),
  'kind-message-instead.sse': done,
  'kind-no-blank-end.sse': done,
  'kind-reasoning-empty-and-content.sse': { ...done, thoughts: 'thinking hard' },
  'kind-single-newline.sse': done,
  'kind-think-close-only.sse': { ...done, text: 'quetzal **done**', thoughts: 'The user wants a colour.' },
  'kind-tool-calls.sse': { ...done, text: '' },
  'kind-usage-empty.sse': done,
  'kind-usage-nulls.sse': done,
};

/** Gives what the engine makes of a body, in pieces of a size, each in a packet of its own. */
async function read(body: Buffer, headers: Record<string, string>, size = body.length): Promise<ReadAnswer> {
  await using server = await startAnswering((_request, _body, response) => {
    response.writeHead(200, headers);
    void (async () => {
      for (let start = 0; start < body.length; start += size) {
        await new Promise((resolve) => response.write(body.subarray(start, start + size), resolve));
        if (start % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    })();
  });
  const engine = engineAt(server.url);
  const answer = await ask(engine);
  await engine.close();
  return answer;
}

describe('OpenAiEngine reads', () => {
  test('every recorded answer that lies here', () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  test.each(Object.keys(expected))('%s, whatever the pieces and the content type', async (name) => {
    const body = readFileSync(join(folder, name));
    const right = expected[name];
    expect(await read(body, { 'content-type': 'text/event-stream' })).toEqual(right);
    expect(await read(body, { 'content-type': 'application/octet-stream' }, 1)).toEqual(right);
    expect(await read(body, {}, 7)).toEqual(right);
  });

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('a stream with %s as its line end, with a byte order mark and fields that nobody needs', async (_name, end) => {
    const lines = [
      ': hello',
      'retry: 1000',
      '',
      'id: 7',
      'event: message',
      'data: {"choices":[{"delta":',
      'data: {"content":"quetzal 🐦 "}}]}',
      '',
      'data:{"choices":[{"delta":{"content":"done"},"finish_reason":"stop"}]}',
      '',
      'data: [DONE]',
      '',
      '',
    ];
    const body = Buffer.from(`\uFEFF${lines.join(end)}`);
    for (const size of [1, 2, 3, 5, body.length]) {
      expect(await read(body, { 'content-type': 'text/event-stream' }, size)).toEqual({
        ...done,
        text: 'quetzal 🐦 done',
      });
    }
  });

  const json = {
    id: 'c',
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'quetzal done', reasoning_content: 'Hm.' },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  };
  test.each([
    ['in one line', JSON.stringify(json)],
    ['over many lines', JSON.stringify(json, null, 2)],
    ['in a list', JSON.stringify([json], null, 2)],
  ])('one JSON document %s', async (_name, body) => {
    const right = { ...done, thoughts: 'Hm.', usage: [1, 2] };
    for (const size of [1, 100_000]) {
      expect(await read(Buffer.from(body), { 'content-type': 'application/json' }, size)).toEqual(right);
    }
    expect(await read(Buffer.from(body).subarray(0, -3), { 'content-type': 'application/json' })).toMatchObject({
      failure: 'answer-cut',
    });
  });

  const plain = readFileSync(join(folder, 'vllm.sse'));
  test.each([
    ['gzip', gzipSync(plain)],
    ['x-gzip', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['deflate', deflateRawSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['zstd', zstdCompressSync(plain)],
    ['identity', plain],
  ])('a stream in %s, and knows a cut one', async (coding, body) => {
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': coding };
    for (const size of [3, body.length]) expect(await read(body, headers, size)).toEqual(whole);
    const cut = await read(body.subarray(0, Math.floor(body.length / 3)), headers);
    expect(cut.failure).toBe('answer-cut');
  });

  test('an unknown coding as what it is', async () => {
    const compressed = Buffer.from('1f9d9064c2d0a0c1830813', 'hex');
    expect(await read(compressed, { 'content-encoding': 'compress' })).toEqual(failed('answer-unreadable'));
    // A name that says nothing about what stands there.
    expect(await read(plain, { 'content-encoding': 'aws-chunked' })).toEqual(whole);
  });

  const chunk = (delta: unknown, finish: unknown = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    ['numbers as content', chunk({ content: 4 }) + chunk({ content: 2 }, 'stop'), { ...done, text: '42' }],
    ['a refusal of the model', chunk({ refusal: 'I cannot.' }) + chunk({}, 'stop'), { ...done, text: 'I cannot.' }],
    [
      'an empty name of thoughts before a full one',
      chunk({ reasoning_content: '', reasoning: 'H' }) +
        chunk({ reasoning: '', thinking: 'm' }) +
        chunk({ reasoning: null, reasoning_details: [{ type: 'reasoning.text', text: '.' }] }) +
        chunk({ content: 'quetzal done' }, 'stop'),
      { ...done, thoughts: 'Hm.' },
    ],
    ['no `[DONE]`', chunk({ content: 'quetzal done' }, 'stop'), done],
    ['no reason but `[DONE]`', `${chunk({ content: 'quetzal done' })}data: [DONE]\n\n`, done],
    ['another limit', chunk({ content: 'quetzal done' }, 'max_tokens'), { ...done, isLength: true }],
    ['a reason in capitals', chunk({ content: 'quetzal done' }, 'LENGTH'), { ...done, isLength: true }],
    ['a reason of its own', chunk({ content: 'quetzal done' }, 'eos_token'), done],
    ['a reason that is no text', chunk({ content: 'quetzal done' }, 7), { ...done, failure: 'answer-cut' }],
    ['a filter', chunk({ content: 'quet' }, 'content_filter'), { ...failed('content-refused'), text: 'quet' }],
    ['a broken provider', chunk({ content: 'quet' }, 'error'), { ...failed('server-failed'), text: 'quet' }],
    ['words between the events', `data: ping\n\n${chunk({ content: 'quetzal done' }, 'stop')}`, done],
    [
      'counts in the middle',
      `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n${chunk({ content: 'quetzal done' }, 'stop')}`,
      { ...done, usage: [3, 2] },
    ],
    [
      'several choices',
      `data: {"choices":[{"index":1,"delta":{"content":"NO"}},{"index":0,"delta":{"content":"quetzal done"},"finish_reason":"stop"}]}\n\n`,
      done,
    ],
    [
      'the whole message behind its pieces',
      `${chunk({ content: 'quetzal done' })}data: {"choices":[{"index":0,"message":{"content":"quetzal done"},"finish_reason":"stop"}]}\n\n`,
      done,
    ],
    ['an error as a word', 'data: {"error":"broken"}\n\n', failed('server-failed')],
    ['an error that is null', `data: {"error":null}\n\n${chunk({ content: 'quetzal done' }, 'stop')}`, done],
    ['an error event without JSON', 'event: error\ndata: broken\n\n', failed('server-failed')],
    ['an error with status 200', '{"error":{"message":"Invalid API key","code":401}}', failed('key-refused')],
    ['a complaint with status 200', '{"detail":"broken"}', failed('server-failed')],
    [
      'a context that overflows in the stream',
      'data: {"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}\n\n',
      failed('context-too-long'),
    ],
    [
      'members of any type',
      `data: {"choices":[{"index":0,"delta":{"content":"quetzal done","tool_calls":7,"role":[]},"logprobs":"x","finish_reason":"stop"}],"usage":"none","created":"now"}\n\n`,
      done,
    ],
    ['choices that are none', `data: {"choices":[null,7,"x"]}\n\n${chunk({ content: 'quetzal done' }, 'stop')}`, done],
  ])('%s', async (_name, body, right) => {
    expect(await read(Buffer.from(body), { 'content-type': 'text/event-stream' })).toEqual(right);
  });

  test('an answer whose server leaves the connection open behind it', async () => {
    await using server = await startAnswering((_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'quetzal done' }, 'stop'));
    });
    const engine = engineAt(server.url);
    expect(await ask(engine)).toEqual(done);
    await engine.close();
  });

  test('an answer after comments that keep the connection for longer than the idle time', async () => {
    await using server = await startAnswering((_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let comments = 0;
      const timer = setInterval(() => {
        comments += 1;
        response.write(': OPENROUTER PROCESSING\n\n');
        if (comments < 30) return;
        clearInterval(timer);
        response.end(chunk({ content: 'quetzal done' }, 'stop'));
      }, 100);
    });
    const engine = engineAt(server.url, { idleMs: 2_000 });
    expect(await ask(engine)).toEqual(done);
    await engine.close();
  });
});
