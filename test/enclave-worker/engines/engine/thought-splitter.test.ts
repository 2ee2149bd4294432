import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ThoughtSplitter } from '../../../../enclave-worker/engines/engine/thought-splitter.ts';

/** Gives what a reader ends up with, cut into pieces of one size. */
function split(text: string, size = text.length): { thoughts: string; text: string } {
  const splitter = new ThoughtSplitter();
  const shown = { reasoning: '', text: '' };
  const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  for (const piece of [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()]) {
    if (piece.kind !== 'note') {
      shown[piece.kind] += piece.text;
    } else if (piece.note.kind === 'text-was-reasoning') {
      shown.reasoning += shown.text;
      shown.text = '';
    }
  }
  return { thoughts: shown.reasoning.trim(), text: shown.text };
}

const answers: readonly (readonly [name: string, whole: string, thoughts: string, text: string])[] = [
  ['no thoughts', 'Just **words**.', '', 'Just **words**.'],
  ['blanks before an indented line', '\n    code', '', '\n    code'],
  ['think', '<think>Hm.\n</think>\n\nYes.', 'Hm.', 'Yes.'],
  ['blanks before the mark', '\n\n<think>\nHm.\n</think>\n\nYes.', 'Hm.', 'Yes.'],
  ['empty thoughts', '<think>\n\n</think>\n\nYes.', '', 'Yes.'],
  ['capitals', '<Think>Hm.</Think>Yes.', 'Hm.', 'Yes.'],
  ['thinking', '<thinking>Hm.</thinking>Yes.', 'Hm.', 'Yes.'],
  ['thought', '<thought>Hm.</thought>Yes.', 'Hm.', 'Yes.'],
  ['Kimi', '◁think▷Hm.◁/think▷Yes.', 'Hm.', 'Yes.'],
  ['Magistral', '[THINK]Hm.[/THINK]Yes.', 'Hm.', 'Yes.'],
  ['Command', '<|START_THINKING|>Hm.<|END_THINKING|>Yes.', 'Hm.', 'Yes.'],
  ['two thoughts', '<think>Hm.</think>\n<think>Ah.</think>Yes.', 'Hm.Ah.', 'Yes.'],
  ['never closed', '<think>Hm, and', 'Hm, and', ''],
  [
    'the closing mark alone',
    'The user wants a colour.\n</think>\n\nYes **so**.',
    'The user wants a colour.',
    'Yes **so**.',
  ],
  ['the closing mark alone, no line ends', 'Colour.</think>Yes.', 'Colour.', 'Yes.'],
  ['a closing mark at the very beginning', '</think>\n\nYes.', '', 'Yes.'],
  ['İ before the mark', 'İİİİ\n</think>\nYes.', 'İİİİ', 'Yes.'],
  [
    'harmony',
    '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>',
    'Hm.',
    'Yes.',
  ],
  [
    'harmony with a tool',
    '<|start|>assistant<|channel|>commentary to=functions.x <|constrain|>json<|message|>{"a":1}<|call|><|channel|>final<|message|>Yes.',
    '{"a":1}',
    'Yes.',
  ],
  ['Gemma', '<|channel>thought\nHm.\n<channel|>Yes.', 'Hm.', 'Yes.'],
  ['marks later in the answer', 'Write <think>x</think> so.', '', 'Write <think>x</think> so.'],
  ['a closing mark in code', 'Split at `</think>` then.', '', 'Split at `</think>` then.'],
  [
    'a closing mark in a fence',
    'So:\n```js\ns.split(1)\n</think>\n```\n',
    '',
    'So:\n```js\ns.split(1)\n</think>\n```\n',
  ],
  ['a closing mark in quotes', 'Look for "</think>" there.', '', 'Look for "</think>" there.'],
  ['a closing mark in a sentence', 'The </think> mark ends it.', '', 'The </think> mark ends it.'],
  ['another closing mark after thoughts', '<think>Hm.</think>Use\n</think>\nhere.', 'Hm.', 'Use\n</think>\nhere.'],
  ['a mark that is none', '<thin ice>', '', '<thin ice>'],
  ['HTML', '<h1>Title</h1>', '', '<h1>Title</h1>'],
  ['a mark cut at the end', 'Yes <thi', '', 'Yes <thi'],
];

describe('ThoughtSplitter', () => {
  test.each(answers)('keeps thoughts apart: %s, in pieces of any size', (_name, whole, thoughts, text) => {
    for (let size = 1; size <= whole.length; size += 1) {
      const { thoughts: foundThoughts, text: foundText } = split(whole, size);
      expect({ size, thoughts: foundThoughts.replaceAll('\n', ''), text: foundText }).toEqual({
        size,
        thoughts: thoughts.replaceAll('\n', ''),
        text,
      });
    }
  });

  test('loses nothing of a text without marks, whatever it holds', () => {
    const words = fc.string({ unit: fc.constantFrom('<', 'th', 'ink', '>', '`', '\n', ' ', 'a', '[', '◁', '|', 'İ') });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 5 }), (text, size) => {
        const whole = `a${text}`;
        fc.pre(!/<\/|think>/.test(whole));
        expect(split(whole, size).text).toBe(whole);
      }),
    );
  });

  test('holds no words back that cannot become a mark', () => {
    const splitter = new ThoughtSplitter();
    expect(splitter.push('A voice')).toEqual([{ kind: 'text', text: 'A voice' }]);
    expect(splitter.push(' is 3 < 4 ')).toEqual([{ kind: 'text', text: ' is 3 < 4 ' }]);
  });

  test('takes an answer of a megabyte in small pieces in linear time', () => {
    const measureOnce = (count: number) => {
      const splitter = new ThoughtSplitter();
      const before = performance.now();
      for (let i = 0; i < count; i += 1) splitter.push('word `x` < ');
      return performance.now() - before;
    };
    // The quickest of some: other processes of this machine only make it slower.
    const measure = (count: number) => Math.min(...Array.from({ length: 8 }, () => measureOnce(count)));
    // Quadratic work would take sixteen times as long for four times as much.
    expect(measure(40_000) / Math.max(1, measure(10_000))).toBeLessThan(11);
  });
});
