import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineError, type EngineEvent, type Question } from '../../../../enclave-worker/engines/engine/engine.ts';
import { GgufEngine, modelNameOf } from '../../../../enclave-worker/engines/gguf/gguf.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { writeTinyGguf } from '../../../parts/worker/gguf/tiny-gguf.ts';
import { collect } from '../../../parts/machine/collect.ts';

/* The real engine on a real file: llama.cpp loads random weights and streams noise. */

const never = new AbortController().signal;
let folder: TemporaryFolder;
let written: { length: number; sha256: string };
let engine: GgufEngine;
beforeAll(async () => {
  folder = await makeTemporaryFolder('gguf');
  const file = join(folder.path, 'Tiny-Q4.gguf');
  written = await writeTinyGguf(file);
  engine = await GgufEngine.load(file, never);
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

function ask(parameters: Question['parameters'] = {}, text = 'Speak'): Question {
  return {
    messages: [
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Hello' },
      { role: 'assistant', text: 'Hello.' },
      { role: 'user', text },
    ],
    parameters: { maximumTokens: 24, ...parameters },
    cacheSalt: 'A'.repeat(43),
  };
}

const textOf = (events: readonly EngineEvent[]) =>
  events.map((event) => (event.kind === 'text' ? event.text : '')).join('');

describe('GgufEngine', () => {
  test('knows its name and the digest of its weights', () => {
    expect(engine).toMatchObject({
      kind: 'gguf',
      model: 'Tiny-Q4',
      weightsDigest: Buffer.from(written.sha256, 'hex').toString('base64url'),
    });
  });

  test('streams text, says that it stopped at the limit, and counts', async () => {
    const events = await collect(engine.answer(ask(), never));
    expect(events.filter(({ kind }) => kind === 'text').length).toBeGreaterThan(5);
    expect(textOf(events).length).toBeGreaterThanOrEqual(20);
    const usage = events.find((event) => event.kind === 'usage')!;
    expect(usage).toMatchObject({ replyTokens: 24 });
    expect(usage.promptTokens).toBeGreaterThan(30);
    expect(events.at(-1)).toEqual({ kind: 'length' });
  });

  test('without chance gives the same answer twice, and another to another question', async () => {
    const answer = async (text: string) => textOf(await collect(engine.answer(ask({ temperature: 0 }, text), never)));
    const first = await answer('One');
    expect(await answer('One')).toBe(first);
    expect(await answer('Quite another question')).not.toBe(first);
  });

  test('answers more questions than it has sequences, one after the other', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => collect(engine.answer(ask(), never))));
    expect(answers.map((events) => events.at(-1)?.kind)).toEqual(Array.from({ length: 5 }, () => 'length'));
  });

  test('stops when it is told to, while it speaks and while it waits, and goes on with others', async () => {
    const [first, second, waiting] = [new AbortController(), new AbortController(), new AbortController()];
    const long = ask({ maximumTokens: 4000 });
    let seen = 0;
    const speaking = [first, second].map(async (abort) => {
      for await (const event of engine.answer(long, abort.signal)) {
        seen += 1;
        if (seen > 10) for (const each of [first, second, waiting]) each.abort();
        expect(event.kind).not.toBe('length');
      }
    });
    const third = collect(engine.answer(long, waiting.signal));
    await Promise.all(speaking);
    expect(await third).toEqual([]);
    expect((await collect(engine.answer(ask(), never))).at(-1)).toEqual({ kind: 'length' });
  });

  test('refuses a question that leaves no room for an answer', async () => {
    const tooLong = collect(engine.answer(ask({}, 'x'.repeat(9_000)), never));
    await expect(tooLong).rejects.toEqual(new EngineError('context-too-long'));
    await expect(collect(engine.answer(ask({}, 'x'.repeat(500)), never))).resolves.not.toEqual([]);
  });

  test('does not load what is no model', async () => {
    const file = join(folder.path, 'broken.gguf');
    await writeFile(file, 'GGUF but not really');
    await expect(GgufEngine.load(file, never)).rejects.toEqual(new EngineError('model-failed'));
    await expect(GgufEngine.load(join(folder.path, 'missing.gguf'), never)).rejects.toEqual(
      new EngineError('model-failed'),
    );
  });
});

describe('modelNameOf', () => {
  test.each([
    ['/models/Qwen3.5-0.8B-Q4_K_M.gguf', 'Qwen3.5-0.8B-Q4_K_M'],
    ['/models/my model (1).GGUF', 'my-model--1-'],
    ['/models/.gguf', 'model'],
    ['/models/-_x.gguf', 'x'],
    [`/models/${'m'.repeat(200)}.gguf`, 'm'.repeat(128)],
  ])('%s is %s', (file, name) => {
    expect(modelNameOf(file)).toBe(name);
  });
});
