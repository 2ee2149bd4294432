import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ask, engineAt, startAnswering } from '../../../../parts/worker/upstream/answering-server.ts';

/** Gives what a reader gets of a reply that comes in pieces of one size. */
async function read(text: string, size: number): Promise<{ readonly text: string; readonly thoughts: string }> {
  await using server = await startAnswering((_request, _body, response) => {
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      text.slice(i * size, (i + 1) * size),
    );
    const events = pieces.map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
    );
    response.end(`${events.join('')}data: [DONE]\n\n`);
  });
  const engine = engineAt(server.url);
  const { text: shown, thoughts } = await ask(engine);
  await engine.close();
  return { text: shown.trim(), thoughts };
}

describe('signs of a template around an answer', () => {
  test.each([
    ['Yes.<|im_end|>', 'Yes.', ''],
    ['Yes.\n<|im_end|>\n', 'Yes.', ''],
    ['Yes.<|eot_id|><|eot_id|>', 'Yes.', ''],
    ['Yes.<｜end▁of▁sentence｜>', 'Yes.', ''],
    ['Yes.</s>', 'Yes.', ''],
    ['Yes.<end_of_turn>\n', 'Yes.', ''],
    ['<think>Hm.</think>\n<answer>\nYes.\n</answer>', 'Yes.', 'Hm.'],
    [
      '<|begin_of_thought|>Hm.<|end_of_thought|>\n\n<|begin_of_solution|>\n\nYes.\n\n<|end_of_solution|>',
      'Yes.',
      'Hm.',
    ],
    ['<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>', 'Yes.', 'Hm.'],
    ['<think>Hm.</think><|begin_of_box|>Yes.<|end_of_box|>', 'Yes.', 'Hm.'],
    ['<reasoning>\nHm.\n</reasoning>\n<answer>\nYes.\n</answer>', 'Yes.', 'Hm.'],
    ['The user asks.\n</think>\n<answer>Yes.</answer>', 'Yes.', 'The user asks.'],
    ['analysisWe say yes.assistantfinalYes.', 'Yes.', 'analysisWe say yes.'],
  ])('%j: are taken off, in pieces of any size', async (whole, text, thoughts) => {
    for (const size of [1, 2, 3, 7, whole.length]) {
      expect({ size, ...(await read(whole, size)) }).toEqual({ size, text, thoughts });
    }
  });

  test.each([
    'ChatML ends each turn with <|im_end|>',
    'It is `<|im_end|>`.',
    'Put "<|im_end|>" at the end, then <|im_start|> again.',
    '<s>old</s>',
    'Was <s>old</s>',
    '<answer>Yes.</answer>',
    'Use <reason>why</reason> there.',
    'a</answer>',
    'analysis of the text: fine.',
    'AnalysisWe',
    'Yes.<|im_end|>\nAnd no.',
    'Yes <|im_e',
    'A < B',
    '<',
  ])('%j: words stay, in pieces of any size', async (whole) => {
    for (const size of [1, 2, 3, whole.length]) expect((await read(whole, size)).text).toBe(whole);
  });

  test('lose nothing of a text that ends in no sign, whatever it holds', async () => {
    const unit = fc.constantFrom('<', '|', 'im', '_end', '>', 's', '/', ' ', '\n', 'a', '<|im_end|>', 'İ', '</s>');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 20 }), fc.integer({ min: 1, max: 5 }), async (text, size) => {
        const whole = `a${text}z`;
        expect((await read(whole, size)).text).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });
});
