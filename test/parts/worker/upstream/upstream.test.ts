import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startUpstream, type Upstream } from './upstream.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream(['small', 'large']);
});
afterEach(() => upstream.stop());

const messages = [{ role: 'user', content: 'a secret prompt' }];

function ask(extra: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${upstream.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'small', messages, stream: true, ...extra }),
    ...init,
  });
}

interface Chunk {
  readonly choices: readonly { readonly delta: Record<string, string>; readonly finish_reason: string | null }[];
  readonly usage?: Record<string, number>;
}

const chunksOf = (text: string): Chunk[] =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)) as Chunk);

const joined = (chunks: readonly Chunk[], field: string): string =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta[field] ?? '')).join('');

describe('startUpstream', () => {
  test('streams tokens, then the finish reason, then [DONE], and records the request', async () => {
    upstream.answerWith({ tokens: ['One', ' two'] });
    const text = await (await ask({ temperature: 0.5 })).text();
    const chunks = chunksOf(text);
    expect(joined(chunks, 'content')).toBe('One two');
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    expect(upstream.requests).toMatchObject([
      { authorization: 'Bearer key', body: { model: 'small', messages, temperature: 0.5 }, isAborted: false },
    ]);
  });

  test.each(['reasoning', 'reasoning_content'] as const)('streams reasoning as %s before the text', async (field) => {
    upstream.answerWith({ reasoning: ['Hm', 'm.'], reasoningField: field, tokens: ['Yes.'] });
    const chunks = chunksOf(await (await ask()).text());
    expect(joined(chunks, field)).toBe('Hmm.');
    expect(joined(chunks, 'content')).toBe('Yes.');
  });

  test('sends usage in a last chunk with empty choices, only when asked', async () => {
    const asked = chunksOf(await (await ask({ stream_options: { include_usage: true } })).text());
    expect(asked.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    });
    const unasked = chunksOf(await (await ask()).text());
    expect(unasked.some(({ usage }) => usage !== undefined)).toBe(false);
  });

  test('answers whole when not asked to stream', async () => {
    const answer = (await (await ask({ stream: false })).json()) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]?.message.content).toBe('In a low voice.');
  });

  test('fails with a body that repeats the prompt', async () => {
    upstream.answerWith({ failWith: 500 });
    const response = await ask();
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('a secret prompt');
  });

  test('cuts mid-stream after the tokens, which is not an abort of the caller', async () => {
    upstream.answerWith({ tokens: ['half'], ending: 'cut' });
    const reader = (await ask()).body!.getReader();
    let text = '';
    await expect(
      (async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return 'ended';
          text += new TextDecoder().decode(value);
        }
      })(),
    ).rejects.toThrow('terminated');
    expect(joined(chunksOf(text), 'content')).toBe('half');
    expect(upstream.requests[0]?.isAborted).toBe(false);
  });

  test('hangs after the tokens, and notes that the caller went away', async () => {
    upstream.answerWith({ tokens: ['half'], ending: 'hang' });
    const controller = new AbortController();
    const response = await ask({}, { signal: controller.signal });
    const early = await Promise.race([response.text(), new Promise((resolve) => setTimeout(resolve, 150, 'hanging'))]);
    expect(early).toBe('hanging');
    expect(upstream.requests[0]?.isAborted).toBe(false);
    controller.abort();
    await vi.waitFor(() => expect(upstream.requests[0]?.isAborted).toBe(true));
  });

  test('waits before each token', async () => {
    upstream.answerWith({ tokens: ['a', 'b', 'c'], delayMs: 60 });
    const start = performance.now();
    await (await ask()).text();
    expect(performance.now() - start).toBeGreaterThan(170);
  });

  test('lists its models, and nothing else is there', async () => {
    const list = (await (await fetch(`${upstream.baseUrl}/models`)).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual(['small', 'large']);
    expect((await fetch(`${upstream.baseUrl}/embeddings`, { method: 'POST' })).status).toBe(404);
  });
});
