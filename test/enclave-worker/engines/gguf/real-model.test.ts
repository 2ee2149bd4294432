import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineError, type EngineEvent, type Question } from '../../../../enclave-worker/engines/engine/engine.ts';
import { GgufEngine } from '../../../../enclave-worker/engines/gguf/gguf.ts';
import { answerWithRoom } from '../../../../enclave-worker/turns/history-room.ts';
import { realModelDigest, realModelFile } from '../../../parts/worker/gguf/real-model.ts';
import { collect } from '../../../parts/machine/collect.ts';

/* The engine in the process with a real model: llama.cpp speaks English here. */

const never = new AbortController().signal;
type Message = Question['messages'][number];

const asked = (messages: readonly Message[], parameters: Question['parameters'] = {}): Question => ({
  messages: [...messages],
  parameters: { temperature: 0, maximumTokens: 40, ...parameters },
  cacheSalt: 'A'.repeat(43),
});
const user = (text: string): Message => ({ role: 'user', text });
const assistant = (text: string): Message => ({ role: 'assistant', text });
const textOf = (events: readonly EngineEvent[]) =>
  events.map((event) => (event.kind === 'text' ? event.text : '')).join('');
const usageOf = (events: readonly EngineEvent[]) => events.find((event) => event.kind === 'usage');

describe.skipIf(realModelFile === null)('GgufEngine with a real model', () => {
  let engine: GgufEngine;
  beforeAll(async () => {
    engine = await GgufEngine.load(realModelFile ?? '', never, null, 1024);
  });
  afterAll(() => engine.close());

  test('streams an English answer that ends', async () => {
    expect(engine.weightsDigest).toBe(Buffer.from(realModelDigest, 'hex').toString('base64url'));
    const events = await collect(
      engine.answer(asked([user('What is the capital of France?')], { maximumTokens: 60 }), never),
    );
    expect(textOf(events)).toContain('Paris');
    expect(events.filter(({ kind }) => kind === 'text').length).toBeGreaterThan(3);
    expect(textOf(events)).not.toMatch(/<\|im_(start|end)\|>/);
    expect(usageOf(events)?.replyTokens).toBeLessThan(60);
  });

  test('goes by what was said before', async () => {
    const before = [user('What is the capital of France?'), assistant('The capital of France is Paris.')];
    const answer = textOf(await collect(engine.answer(asked([...before, user('And of Italy?')]), never)));
    expect(answer).toContain('Rome');
    // The same words alone mean nothing of the kind.
    expect(textOf(await collect(engine.answer(asked([user('And of Italy?')]), never)))).not.toBe(answer);
  });

  test('answers several at once, each its own question', async () => {
    const cities = [
      ['France', 'Paris'],
      ['Italy', 'Rome'],
      ['Japan', 'Tokyo'],
    ] as const;
    const answers = await Promise.all(
      cities.map(([country]) => collect(engine.answer(asked([user(`What is the capital of ${country}?`)]), never))),
    );
    expect(answers.map((events, index) => textOf(events).includes(cities[index]?.[1] ?? '?'))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('stops when it is told to, and answers the next question', async () => {
    const stop = new AbortController();
    const events: EngineEvent[] = [];
    for await (const event of engine.answer(
      asked([user('Count to one thousand.')], { maximumTokens: 400 }),
      stop.signal,
    )) {
      events.push(event);
      if (events.length === 5) stop.abort();
    }
    expect(events.length).toBeLessThan(20);
    expect(textOf(await collect(engine.answer(asked([user('What is the capital of France?')]), never)))).toContain(
      'Paris',
    );
  });

  test('says that it stopped at the limit', async () => {
    const events = await collect(engine.answer(asked([user('Tell me a long story.')], { maximumTokens: 8 }), never));
    expect(events.at(-1)).toEqual({ kind: 'length' });
    expect(usageOf(events)?.replyTokens).toBe(8);
  });

  test('refuses a prompt beyond its context, and answers a long conversation without its beginning', async () => {
    const long = 'The quick brown fox jumps over the lazy dog. '.repeat(60);
    await expect(collect(engine.answer(asked([user(long)]), never))).rejects.toEqual(
      new EngineError('context-too-long'),
    );
    const conversation = [user(long), assistant(long), user('Thanks.'), assistant('You are welcome.')];
    const question = asked([...conversation, user('What is the capital of France?')]);
    const events = await collect(answerWithRoom(engine, question, never));
    expect(events[0]).toMatchObject({ kind: 'note', note: { kind: 'left-out' } });
    expect(textOf(events)).toContain('Paris');
  });

  test('is unloaded while it speaks, and ends what it said', async () => {
    const other = await GgufEngine.load(realModelFile ?? '', never, null, 512);
    const reading = collect(other.answer(asked([user('Count to one thousand.')], { maximumTokens: 200 }), never));
    await other.close();
    const events = await reading;
    expect(events.every(({ kind }) => kind === 'text' || kind === 'usage')).toBe(true);
  });
});
