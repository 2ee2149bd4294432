import { describe, expect, test } from 'vitest';
import type { EngineEvent, Question } from '../../../enclave-worker/engines/engine/engine.ts';
import { RehearsalEngine } from '../../../enclave-worker/engines/rehearsal.ts';
import { collect } from '../../parts/machine/collect.ts';

const engine = new RehearsalEngine({ pieceEveryMs: 0 });

function ask(text: string, parameters: Question['parameters'] = {}): Question {
  return { messages: [{ role: 'user', text }], parameters, cacheSalt: 'A'.repeat(43) };
}

async function eventsOf(question: Question, signal = new AbortController().signal): Promise<EngineEvent[]> {
  return collect(engine.answer(question, signal));
}

function textOf(events: readonly EngineEvent[]): string {
  return events.map((event) => (event.kind === 'text' ? event.text : '')).join('');
}

describe('RehearsalEngine', () => {
  test('says what it is in its first words, repeats the question, and counts', async () => {
    const events = await eventsOf(ask('What is "sotto voce"?'));
    const text = textOf(events);
    expect(text.startsWith('**This is a rehearsal: no model is running.**')).toBe(true);
    expect(text).toContain('“What is "sotto voce"?”');
    expect(text.length).toBeGreaterThan(400);
    expect(text.length).toBeLessThan(900);
    const words = text.match(/\S+/g)!.length;
    expect(events.at(-1)).toEqual({ kind: 'usage', promptTokens: 4, replyTokens: words });
  });

  test('gives the same answer to the same question, and another to another', async () => {
    const [first, again, other] = [await eventsOf(ask('A')), await eventsOf(ask('A')), await eventsOf(ask('B'))];
    expect(first).toEqual(again);
    expect(textOf(first)).not.toBe(textOf(other));
  });

  test('repeats the first 120 characters of a long question', async () => {
    const question = `start ${'x'.repeat(113)}y after`;
    const text = textOf(await eventsOf(ask(question)));
    expect(text).toContain(`“${question.slice(0, 120)}…”`);
    expect(text).not.toContain('after');
  });

  test.each([
    ['a long answer', 3_000, /### Part 6/],
    ['a list', 400, /^1\. .*\n2\. /m],
    ['a code block', 300, /```ts\n[^`]+```/],
  ])('gives %s when asked', async (wish, length, pattern) => {
    const text = textOf(await eventsOf(ask(`Give me ${wish}, please`)));
    expect(text.length).toBeGreaterThan(length);
    expect(text).toMatch(pattern);
    expect(textOf(await eventsOf(ask('Hello')))).not.toMatch(pattern);
  });

  test('stops after the wished number of tokens, and says so', async () => {
    const events = await eventsOf(ask('Hello', { maximumTokens: 7 }));
    expect(textOf(events)).toBe('**This is a rehearsal: no model is');
    expect(events.slice(-2)).toEqual([{ kind: 'usage', promptTokens: 1, replyTokens: 7 }, { kind: 'length' }]);
  });

  test('ends when it is stopped', async () => {
    const abort = new AbortController();
    const said = [];
    for await (const event of new RehearsalEngine().answer(ask('long answer'), abort.signal)) {
      said.push(event);
      if (said.length === 2) abort.abort();
    }
    expect(said).toHaveLength(2);
  });
});
