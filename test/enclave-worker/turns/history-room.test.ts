import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError, type EngineEvent, type Question } from '../../../enclave-worker/engines/engine/engine.ts';
import { answerWithRoom, inTurns } from '../../../enclave-worker/turns/history-room.ts';
import { collect } from '../../parts/machine/collect.ts';
import { ScriptedEngine } from '../../parts/worker/scripted-engine.ts';

type Message = Question['messages'][number];
const never = new AbortController().signal;

/** An engine that reads so many characters. */
function reading(limit: number, refusal: 'context-too-long' | 'request-too-large' = 'context-too-long') {
  // eslint-disable-next-line typescript/require-await -- an engine is asynchronous by its interface
  return new ScriptedEngine(async function* answer({ messages }) {
    if (messages.reduce((sum, { text }) => sum + text.length, 0) > limit) throw new EngineError(refusal);
    yield { kind: 'text', text: `after ${messages.length}` };
  });
}

/** Questions and answers of ten characters each, the newest question last. */
function conversation(turns: number): Message[] {
  return Array.from({ length: 2 * turns + 1 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    text: `message ${String(index).padStart(2, '0')}`,
  }));
}

const asked = (messages: readonly Message[]): Question => ({ messages: [...messages], parameters: {}, cacheSalt: '' });

describe('answerWithRoom', () => {
  test.each(['context-too-long', 'request-too-large'] as const)(
    'gives what can be read after %s, and says how much is missing',
    async (refusal) => {
      const engine = reading(50, refusal);
      const events = await collect(answerWithRoom(engine, asked(conversation(20)), never));
      const given = engine.questions.at(-1)!.messages;
      expect(given.at(-1)).toEqual({ role: 'user', text: 'message 40' });
      expect(given[0]?.role).toBe('user');
      expect(events).toEqual([
        { kind: 'note', note: { kind: 'left-out', messages: 41 - given.length } },
        { kind: 'text', text: `after ${given.length}` },
      ]);
    },
  );

  test('leaves a conversation that fits as it is, and says nothing', async () => {
    const engine = reading(1_000);
    const events = await collect(answerWithRoom(engine, asked(conversation(20)), never));
    expect(events).toEqual([{ kind: 'text', text: 'after 41' }]);
    expect(engine.questions).toHaveLength(1);
  });

  test('keeps what the system says', async () => {
    const engine = reading(50);
    const system: Message = { role: 'system', text: 'Be brief.' };
    await collect(answerWithRoom(engine, asked([system, ...conversation(20)]), never));
    expect(engine.questions.at(-1)!.messages[0]).toEqual(system);
  });

  test('gives up where the newest question alone is too long, after few tries', async () => {
    const engine = reading(9);
    const tried = collect(answerWithRoom(engine, asked(conversation(4_999)), never));
    await expect(tried).rejects.toThrow('context-too-long');
    expect(engine.questions.length).toBeLessThan(15);
    expect(engine.questions.at(-1)!.messages).toHaveLength(1);
  });

  test('asks nobody twice who has begun to answer', async () => {
    // eslint-disable-next-line typescript/require-await -- an engine is asynchronous by its interface
    const engine = new ScriptedEngine(async function* answer() {
      yield { kind: 'text', text: 'half' } satisfies EngineEvent;
      throw new EngineError('context-too-long');
    });
    await expect(collect(answerWithRoom(engine, asked(conversation(5)), never))).rejects.toThrow('context-too-long');
    expect(engine.questions).toHaveLength(1);
  });
});

describe('inTurns', () => {
  test('makes roles alternate, begins with a question, and loses no question', () => {
    const message = fc.record({ role: fc.constantFrom('user' as const, 'assistant' as const), text: fc.string() });
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const turns = inTurns(messages);
        expect(turns.every(({ role }, index) => role === (index % 2 === 0 ? 'user' : 'assistant'))).toBe(true);
        const said = turns.map(({ text }) => text).join('\n\n');
        const questions = messages.filter(({ role }) => role === 'user');
        expect(questions.every(({ text }) => said.includes(text))).toBe(true);
      }),
    );
  });
});
