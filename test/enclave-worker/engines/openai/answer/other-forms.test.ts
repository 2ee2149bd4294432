import { describe, expect, test } from 'vitest';
import { ask, engineAt, type ReadAnswer, startAnswering } from '../../../../parts/worker/upstream/answering-server.ts';

/* Forms, framings and ends of an answer that gateways and older servers write, read by the real engine over HTTP. */

const done: ReadAnswer = { text: 'quetzal', thoughts: '', usage: null, isLength: false, notes: [], failure: null };
const failed = (failure: string, text = 'quet'): ReadAnswer => ({ ...done, text, failure });

async function read(body: string | readonly string[]): Promise<ReadAnswer> {
  const parts = typeof body === 'string' ? [body] : body;
  await using server = await startAnswering((_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    void (async () => {
      for (const [index, part] of parts.entries()) {
        if (index > 0) await new Promise((resolve) => setTimeout(resolve, 2_500));
        response.write(part);
      }
      response.end();
    })();
  });
  const engine = engineAt(server.url);
  const answer = await ask(engine);
  await engine.close();
  return answer;
}

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: unknown, finish: unknown = null, more: object = {}) =>
  event({ choices: [{ index: 0, delta, finish_reason: finish, ...more }] });
const words = chunk({ content: 'quetzal' });
const stopped = chunk({ content: 'quetzal' }, 'stop');
const token = (text: string, rest: object = {}) => `data:${JSON.stringify({ token: { id: 1, text }, ...rest })}\n\n`;
const kobold = (text: string, finish: string | null = null) =>
  `event: message\n${event({ token: text, finish_reason: finish })}`;

describe('the own form of', () => {
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    [
      'TGI, whose last event repeats the whole beside a sign',
      token('quet') +
        token('zal') +
        `data:{"token":{"id":0,"text":"</s>","special":true},"generated_text":"quetzal","details":{"finish_reason":"eos_token","generated_tokens":3,"input_length":7}}\n\n`,
      { ...done, usage: [7, 3] },
    ],
    [
      'TGI at its limit',
      token('quetzal', { generated_text: 'quetzal', details: { finish_reason: 'length' } }),
      { ...done, isLength: true },
    ],
    ['TGI without details', token('quet') + token('zal', { generated_text: 'quetzal', details: null }), done],
    ['TGI, cut', token('quet'), failed('answer-cut')],
    ['TGI, whole', '[{"generated_text":"quetzal"}]', done],
    [
      'TGI, failing',
      `${token('quet')}data:{"error":"Request failed during generation: CUDA error","error_type":"generation"}\n\n`,
      failed('server-failed'),
    ],
    ['KoboldCpp', kobold('quet') + kobold('zal') + kobold('', 'stop'), done],
    ['KoboldCpp at its limit', kobold('quetzal', 'length'), { ...done, isLength: true }],
    ['KoboldCpp, cut', kobold('quet'), failed('answer-cut')],
    ['KoboldCpp, whole', '{"results":[{"text":"quetzal","finish_reason":"stop"}]}', done],
    [
      'llama.cpp',
      event({ content: 'quet', stop: false }) +
        event({ content: 'zal', stop: false }) +
        event({ content: '', stop: true, stop_type: 'eos', tokens_predicted: 2, tokens_evaluated: 3 }),
      { ...done, usage: [3, 2] },
    ],
    [
      'llama.cpp at its limit',
      event({ content: 'quetzal', stop: true, stopped_limit: true }),
      { ...done, isLength: true },
    ],
  ])('%s', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });
});

describe('an end is read', () => {
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    ...['data: [done]', 'data: DONE', 'data: "[DONE]"', 'event: done\ndata: {}', 'event: close\ndata: '].map(
      (end) => [end, `${words}${end}\n\n`, done] as const,
    ),
    ['its last words in an event named end', `event: end\n${stopped}`, done],
    ['a reason inside the delta', chunk({ content: 'quetzal', finish_reason: 'stop' }), done],
    ['a reason as an object', chunk({ content: 'quetzal' }, { type: 'length' }), { ...done, isLength: true }],
    ...['FinishReason.MAX_TOKENS', 'max_completion_tokens', 'ERROR_LIMIT'].map(
      (reason) => [reason, chunk({ content: 'quetzal' }, reason), { ...done, isLength: true }] as const,
    ),
    ...['content_filter: PROHIBITED_CONTENT', 'ERROR_TOXIC', 'FinishReason.SAFETY'].map(
      (reason) => [reason, chunk({ content: 'quet' }, reason), failed('content-refused')] as const,
    ),
    ...['aborted', 'canceled', 'failed'].map(
      (reason) => [reason, chunk({ content: 'quet' }, reason), failed('server-failed')] as const,
    ),
    ['COMPLETE', chunk({ content: 'quetzal' }, 'COMPLETE'), done],
    [
      'OpenRouter: its provider broke, whatever it says itself',
      chunk({ content: 'quet' }) + chunk({ content: '' }, 'stop', { native_finish_reason: 'network_error' }),
      failed('server-failed'),
    ],
    [
      'OpenRouter: another word of its provider',
      chunk({ content: 'quetzal' }, 'stop', { native_finish_reason: 'x' }),
      done,
    ],
  ])('%s', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });

  test('a reason to end beside thoughts, or beside every piece, is none: what comes seconds later is read', async () => {
    const thoughts = chunk({ reasoning_content: 'Hm.' }, 'stop');
    const early = await read([thoughts, chunk({ content: 'quet' }, 'stop') + chunk({ content: 'zal' }, 'stop')]);
    expect(early).toEqual({ ...done, thoughts: 'Hm.' });
    const each = [
      chunk({ content: 'que' }, 'stop') + chunk({ content: 't' }, 'stop'),
      chunk({ content: 'zal' }, 'stop'),
    ];
    expect(await read(each)).toEqual(done);
  });

  test('a connection that breaks behind it cuts nothing, and before it keeps what was held back', async () => {
    const breaking = async (body: string) => {
      await using server = await startAnswering((_request, _body, response) => {
        response.writeHead(200, { 'content-length': 9_999 }).write(body, () => response.destroy());
      });
      const engine = engineAt(server.url);
      const answer = await ask(engine);
      await engine.close();
      return answer;
    };
    expect(await breaking(stopped)).toEqual(done);
    expect(await breaking(chunk({ content: 'a </thi' }))).toEqual(failed('answer-cut', 'a </thi'));
  });
});

describe('messages where pieces should be', () => {
  const message = (content: string, finish?: unknown, more: object = {}) =>
    event({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish, ...more }] });
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    ['each what comes next', message('quet', null) + message('zal', 'stop'), done],
    ['each ever longer', message('quet', null) + message('quetz', null) + message('quetzal', 'stop'), done],
    ['DashScope, ever longer with a word for going on', message('quet', 'null') + message('quetzal', 'stop'), done],
    ['without a word about an end', `${message('quet') + message('zal')}data: [DONE]\n\n`, done],
    ['the last one once more', message('quet', null) + message('quetzal', null) + message('quetzal', 'stop'), done],
    ['one alone, which says no reason', message('quetzal', null), done],
    [
      'beside deltas that stay empty',
      message('quet', null, { delta: {} }) + message('quetzal', 'stop', { delta: {} }),
      done,
    ],
    ['behind pieces', chunk({ content: 'quetzal' }) + message('quetzal', 'stop', { delta: { content: '' } }), done],
    [
      'with thoughts, ever longer',
      event({ choices: [{ message: { reasoning_content: 'H', content: '' }, finish_reason: null }] }) +
        event({ choices: [{ message: { reasoning_content: 'Hm.', content: '' }, finish_reason: null }] }) +
        event({ choices: [{ message: { reasoning_content: 'Hm.', content: 'quetzal' }, finish_reason: 'stop' }] }),
      { ...done, thoughts: 'Hm.' },
    ],
    ['cut', message('que', null) + message('quet', null), failed('answer-cut')],
    ['cut, with a word for going on', message('que', 'null') + message('quet', 'null'), failed('answer-cut')],
    ['pieces, cut, with that word', chunk({ content: 'quet' }, 'null'), failed('answer-cut')],
  ])('%s', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });

  test('are waited for as long as they say that they go on', async () => {
    expect(await read([message('quet', null), message('quetzal', 'stop')])).toEqual(done);
    expect(await read([chunk({ content: 'quet' }, 'null'), chunk({ content: 'zal' }, 'stop')])).toEqual(done);
  });
});

describe('an answer is read though', () => {
  const first = JSON.stringify({ choices: [{ index: 0, delta: { content: 'quet' } }] });
  const second = JSON.stringify({ choices: [{ index: 0, delta: { content: 'zal' }, finish_reason: 'stop' }] });
  const whole = '{"choices":[{"message":{"content":"quetzal"},"finish_reason":"stop"}]}';
  test.each<readonly [name: string, body: string, right: ReadAnswer]>([
    ['two documents stand on one line', first + second, done],
    ['two events stand on one line', `data: ${first}data: ${second}\n\n`, done],
    ['something stands behind its document', `${whole}\0\0 trailing`, done],
    ['a document over many lines is followed by another', `{\n"choices":[]\n}\n${whole}`, done],
    ['the field is in capitals', stopped.replace('data', 'DATA'), done],
    ['a blank stands before the field', ` ${stopped}`, done],
    [
      'counts stand in the choice',
      words + chunk({}, 'stop', { usage: { prompt_tokens: 3, completion_tokens: 2 } }),
      { ...done, usage: [3, 2] },
    ],
    [
      'counts are zero all the time',
      event({
        choices: [{ index: 0, delta: { content: 'quetzal' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 0, completion_tokens: 0 },
      }),
      done,
    ],
    [
      'Azure says what it filtered before and after',
      event({ id: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] }) +
        stopped +
        event({ id: '', choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 4 } }] }),
      done,
    ],
    [
      'thoughts come in blocks',
      chunk({ thinking_blocks: [{ type: 'thinking', thinking: 'Hm.' }] }) + stopped,
      { ...done, thoughts: 'Hm.' },
    ],
  ])('%s', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });

  test.each([201, 202, 206])('its status is %i', async (status) => {
    await using server = await startAnswering((_request, _body, response) => response.writeHead(status).end(stopped));
    const engine = engineAt(server.url);
    expect(await ask(engine)).toEqual(done);
    await engine.close();
  });

  test.each([
    ['a document that is cut inside', `{"choices":[{"message":{"content":"quet`, failed('answer-cut', '')],
    [
      'an error named by its event alone',
      'event: error\ndata: overloaded\n\n',
      { ...failed('model-overloaded', ''), notes: ['model-overloaded'] },
    ],
  ])('%s is none', async (_name, body, right) => {
    expect(await read(body)).toEqual(right);
  });
});
