import { describe, expect, test } from 'vitest';
import type { Question } from '../../../../../enclave-worker/engines/engine/engine.ts';
import {
  ask,
  type Answering,
  engineAt,
  plainQuestion,
  startAnswering,
} from '../../../../parts/worker/upstream/answering-server.ts';

const question: Question = { ...plainQuestion, parameters: { reasoning: false, maximumTokens: 7 } };
const members = ['stream_options', 'chat_template_kwargs', 'max_tokens', 'max_completion_tokens', 'cache_salt'];
const ok = 'data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\n';

/** A server that refuses some members, and keeps which ones each request held. */
function refusing(refused: readonly string[], complaint: (name: string, body: string) => string) {
  const seen: string[][] = [];
  const answer: Answering = (_request, body, response) => {
    const parsed = JSON.parse(body) as Record<string, unknown>;
    seen.push(members.filter((name) => name in parsed));
    const wrong = refused.find((name) => name in parsed);
    if (wrong === undefined) response.writeHead(200).end(ok);
    else response.writeHead(400, { 'content-type': 'application/json' }).end(complaint(wrong, body));
  };
  return { seen, answer };
}

const naming = (name: string) => JSON.stringify({ error: { message: `Unrecognized request argument: ${name}` } });
const silent = () => '{"error":{"message":"Bad Request"}}';
const repeating = (_name: string, body: string) => JSON.stringify({ detail: [{ msg: 'Extra inputs', input: body }] });

describe('extensions of a request', () => {
  test.each([
    ['names what it refuses', naming],
    ['says nothing', silent],
    ['repeats the whole request', repeating],
  ])('are dropped one by one where a server %s', async (_name, complaint) => {
    for (const refused of ['stream_options', 'chat_template_kwargs', 'max_tokens', 'cache_salt']) {
      const { seen, answer } = refusing([refused], complaint);
      await using server = await startAnswering(answer);
      const engine = engineAt(server.url);
      expect((await ask(engine, question)).text).toBe('ok');
      const kept = members.filter((name) => name !== refused && name !== 'max_completion_tokens');
      const last = refused === 'max_tokens' ? [...kept, 'max_completion_tokens'] : kept;
      expect(seen.at(-1)?.toSorted()).toEqual(last.toSorted());
      // It is remembered: the next question comes through at once.
      const before = seen.length;
      expect((await ask(engine, question)).text).toBe('ok');
      expect(seen.length).toBe(before + 1);
      await engine.close();
    }
  });

  test('two that are refused are both dropped, and the others stay', async () => {
    for (const complaint of [naming, silent]) {
      const { seen, answer } = refusing(['stream_options', 'chat_template_kwargs'], complaint);
      await using server = await startAnswering(answer);
      const engine = engineAt(server.url);
      expect((await ask(engine, question)).text).toBe('ok');
      expect(seen.at(-1)).toEqual(['max_tokens', 'cache_salt']);
      await engine.close();
    }
  });

  test.each([
    ['names it', naming],
    ['says nothing', silent],
  ])('the salt is never dropped where evidence is shown and the server %s, beside another that is', async (_n, how) => {
    const { seen, answer } = refusing(['cache_salt'], how);
    await using server = await startAnswering(answer);
    const engine = engineAt(server.url, { needsSalt: true });
    const { text, failure } = await ask(engine, question);
    expect([text, failure]).toEqual(['', how === naming ? 'salt-refused' : 'model-refused']);
    expect(seen.every((names) => names.includes('cache_salt'))).toBe(true);
    await engine.close();

    const other = refusing(['stream_options'], how);
    await using otherServer = await startAnswering(other.answer);
    const otherEngine = engineAt(otherServer.url, { needsSalt: true });
    expect((await ask(otherEngine, question)).text).toBe('ok');
    expect(other.seen.at(-1)).toContain('cache_salt');
    await otherEngine.close();
  });

  test('are offered again after an hour', async () => {
    const { seen, answer } = refusing(['stream_options'], naming);
    await using server = await startAnswering(answer);
    let nowMs = 0;
    const engine = engineAt(server.url, { nowMs: () => nowMs });
    await ask(engine, question);
    nowMs = 3_599_000;
    await ask(engine, question);
    expect(seen.at(-1)).not.toContain('stream_options');
    const before = seen.length;
    nowMs = 3_600_001;
    await ask(engine, question);
    expect(seen[before]).toContain('stream_options');
    await engine.close();
  });

  test('are not the fault of a question that is refused for itself', async () => {
    let requests = 0;
    await using server = await startAnswering((_request, _body, response) => {
      requests += 1;
      response.writeHead(400).end('{"error":{"code":"context_length_exceeded","message":"cache_salt"}}');
    });
    const engine = engineAt(server.url);
    expect((await ask(engine, question)).failure).toBe('context-too-long');
    expect(requests).toBe(1);
    await engine.close();
  });

  const system: Question = {
    ...plainQuestion,
    messages: [
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'One?' },
      { role: 'assistant', text: 'Two.' },
      { role: 'user', text: 'Three?' },
    ],
  };
  test.each([
    [400, 'System role not supported'],
    [500, 'Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...'],
    [422, 'Only user and assistant roles are supported!'],
  ])('status %i and “%s”: the words of the system go before the first question', async (status, message) => {
    const seen: unknown[] = [];
    await using server = await startAnswering((_request, body, response) => {
      const { messages } = JSON.parse(body) as { messages: readonly { role: string; content: string }[] };
      seen.push(messages.map(({ role, content }) => `${role}: ${content}`));
      if (messages.some(({ role }) => role === 'system')) response.writeHead(status).end(JSON.stringify({ message }));
      else response.end(ok);
    });
    const engine = engineAt(server.url);
    expect((await ask(engine, system)).text).toBe('ok');
    expect((await ask(engine, system)).text).toBe('ok');
    const rest = ['assistant: Two.', 'user: Three?'];
    const merged = ['user: Be brief.\n\nOne?', ...rest];
    expect(seen).toEqual([['system: Be brief.', 'user: One?', ...rest], merged, merged]);
    // Without a system the same complaint is of something else, and is not repeated.
    const problems: number[] = [];
    const other = engineAt(server.url, { onProblem: ({ status: found }) => problems.push(found) });
    await ask(other);
    expect(problems).toEqual([]);
    await engine.close();
    await other.close();
  });

  test('a temperature and a stream that a model does not take are left out, and an answer in one piece is read', async () => {
    const seen: unknown[] = [];
    const whole = '{"choices":[{"index":0,"message":{"content":"ok"},"finish_reason":"stop"}]}';
    await using server = await startAnswering((_request, body, response) => {
      const parsed = JSON.parse(body) as Record<string, unknown>;
      seen.push([parsed['temperature'], parsed['top_p'], parsed['stream'], 'stream_options' in parsed]);
      const refuse = (name: string) =>
        void response
          .writeHead(400)
          .end(
            JSON.stringify({ error: { message: `Unsupported value: '${name}' does not support it with this model.` } }),
          );
      if (parsed['temperature'] !== undefined) refuse('temperature');
      else if (parsed['stream'] === true) refuse('stream');
      else response.end(whole);
    });
    const engine = engineAt(server.url);
    expect((await ask(engine, { ...plainQuestion, parameters: { temperature: 0.2, topP: 0.9 } })).text).toBe('ok');
    expect(seen).toEqual([
      [0.2, 0.9, true, true],
      [undefined, 0.9, true, true],
      [undefined, 0.9, false, false],
    ]);
    await engine.close();
  });
});
