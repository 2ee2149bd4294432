import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptySplit,
  hasOpenFence,
  splitBlocks,
  type SplitText,
} from '../../../client/features/chat/markdown/split-blocks.ts';

const sample = `# Title

A paragraph with *words*
over two lines.

- one
- two

  still two
1. first
2. second

\`\`\`ts
const a = '\`\`';

const b = 2;
\`\`\`

> quoted
> more

| a | b |
|---|---|
| 1 | 2 |

    indented code

<div>html</div>

---
[name]: https://example.org
The [name] at the end.
`;

function grow(pieces: readonly string[]): SplitText {
  let text = '';
  let split = emptySplit;
  for (const piece of pieces) {
    text += piece;
    split = splitBlocks(split, text);
  }
  return split;
}

describe('splitBlocks', () => {
  test('finds the blocks, and loses no character', () => {
    const { blocks } = splitBlocks(emptySplit, sample);
    expect(blocks.join('')).toBe(sample);
    expect(blocks).toContain("```ts\nconst a = '``';\n\nconst b = 2;\n```\n\n");
    expect(blocks.length).toBeGreaterThan(8);
  });

  test('grown character by character it is the same as read at once', () => {
    expect(grow(sample.split('')).blocks).toEqual(splitBlocks(emptySplit, sample).blocks);
  });

  test('property: grown in any pieces it is the same as read at once', () => {
    const marks = ['# head', '- item', '  - inner', '1. one', '2)', '* star', '-', '> quote', '```', '~~~', '    code'];
    const line = fc.constantFrom(
      'text',
      'more',
      '',
      '',
      '---',
      '===',
      '| a |',
      '|---|',
      '<b>',
      '[x]: y',
      '\ttab',
      ...marks,
    );
    const pieces = fc
      .array(fc.tuple(line, fc.boolean()), { maxLength: 24 })
      .map((lines) =>
        lines.flatMap(([text, cut]) => (cut && text.length > 1 ? [text[0]!, `${text.slice(1)}\n`] : [`${text}\n`])),
      );
    fc.assert(
      fc.property(pieces, (parts) => {
        const whole = splitBlocks(emptySplit, parts.join(''));
        expect(whole.blocks.join('')).toBe(parts.join(''));
        expect(grow(parts).blocks).toEqual(whole.blocks);
      }),
      { numRuns: 2000 },
    );
  });

  test('a frame touches the last block only: the ones before stay as they are', () => {
    const before = splitBlocks(emptySplit, 'one\n\ntwo\n\nthr');
    const after = splitBlocks(before, 'one\n\ntwo\n\nthree');
    expect(after.blocks.slice(0, -1)).toEqual(before.blocks.slice(0, -1));
    expect(after.blocks.at(-1)).toBe('three');
  });

  test('a text that did not just grow is read anew', () => {
    const before = splitBlocks(emptySplit, 'one\n\ntwo');
    expect(splitBlocks(before, 'other').blocks).toEqual(['other']);
    expect(splitBlocks(before, '').blocks).toEqual([]);
  });

  test('definitions reach the blocks that refer to them; with footnotes the text stays in one piece', () => {
    expect(splitBlocks(emptySplit, sample).definitions.trim()).toBe('[name]: https://example.org');
    const almost = 'See [name].\n\n[name]: https://example.org and more words';
    expect(splitBlocks(emptySplit, almost).definitions).toBe('');
    const notes = 'A claim.[^1]\n\n[^1]: Its source.\n\nMore.';
    expect(splitBlocks(emptySplit, notes).blocks).toEqual([notes]);
  });

  test('Windows line ends keep their place', () => {
    const text = 'one\r\n\r\ntwo\r\n\r\n- a\r\n- b';
    expect(splitBlocks(emptySplit, text).blocks.join('')).toBe(text);
    expect(grow(text.split('')).blocks.join('')).toBe(text);
  });
});

describe('hasOpenFence', () => {
  test.each([
    ['```ts\nconst a', true],
    ['```ts\nconst a\n```', false],
    ['```ts\nconst a\n````  ', false],
    ['````\n```\n', true],
    ['~~~\ncode\n```\n', true],
    ['~~~\ncode\n~~~\n', false],
    ['```', true],
    ['no fence', false],
    ['text with ``` inside', false],
  ])('%o: %o', (block, open) => {
    expect(hasOpenFence(block)).toBe(open);
  });
});
