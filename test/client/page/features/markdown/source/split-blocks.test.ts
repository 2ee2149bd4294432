import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fencedCode, unitsOf } from '../../../../../../client/page/features/markdown/source/blocks/block-units.ts';
import {
  definitionsFor,
  readReferences,
} from '../../../../../../client/page/features/markdown/source/inline/references.ts';
import {
  emptySplit,
  splitBlocks,
  type SplitText,
} from '../../../../../../client/page/features/markdown/source/blocks/split-blocks.ts';
import { hostileAnswers } from '../../../../../parts/worker/writing/hostile-answers.ts';

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

    indented

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

const read = (text: string) => splitBlocks(emptySplit, text).blocks;
const sources = (text: string) => read(text).map(({ source }) => source);
const kinds = (text: string) => read(text).map(({ kind }) => kind);

describe('splitBlocks', () => {
  test('finds the blocks, and loses no character', () => {
    expect(sources(sample).join('')).toBe(sample);
    expect(sources(sample)).toContain("```ts\nconst a = '``';\n\nconst b = 2;\n```\n\n");
    expect(kinds(sample).join(' ')).toBe('text text list list code text table text text text definitions text');
  });

  test('grown character by character it is the same as read at once', () => {
    expect(grow(sample.split('')).blocks).toEqual(read(sample));
  });

  test('property: grown in any pieces it is the same as read at once', () => {
    const marks = ['# head', '- item', '  - inner', '1. one', '2)', '* star', '-', '> quote', '```', '~~~', '    code'];
    const fences = ['Run: ```sh', '```md', '```js', 'So:```', '\\begin{align}', '\\end{align}'];
    const others = [
      ...fences,
      '<details>',
      '</details>',
      '<!-- x',
      '-->',
      '\\[',
      '\\]',
      '$$',
      '[^1]: note',
      '| a |',
      '|---|',
    ];
    const long = ['x'.repeat(1700), `| ${'y'.repeat(1600)} |`, 'z. '.repeat(2000)];
    const line = fc.constantFrom(
      'text',
      'more',
      '',
      '',
      '---',
      '===',
      '<b>',
      '[x]: y',
      '\ttab',
      ...marks,
      ...others,
      ...long,
    );
    const pieces = fc
      .array(fc.tuple(line, fc.boolean()), { maxLength: 24 })
      .map((lines) =>
        lines.flatMap(([text, cut]) => (cut && text.length > 1 ? [text[0]!, `${text.slice(1)}\n`] : [`${text}\n`])),
      );
    fc.assert(
      fc.property(pieces, (parts) => {
        const whole = read(parts.join(''));
        expect(whole.map(({ source }) => source).join('')).toBe(parts.join(''));
        expect(grow(parts).blocks).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });

  test('a frame touches the last blocks only: the ones before stay as they are', () => {
    const before = splitBlocks(emptySplit, 'one\n\ntwo\n\nthree\n\nfou');
    const after = splitBlocks(before, 'one\n\ntwo\n\nthree\n\nfour');
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
    expect(after.blocks.at(-1)?.source).toBe('four');
  });

  test('a text that did not just grow is read anew', () => {
    const before = splitBlocks(emptySplit, 'one\n\ntwo');
    expect(splitBlocks(before, 'other').blocks.map(({ source }) => source)).toEqual(['other']);
    expect(splitBlocks(before, '').blocks).toEqual([]);
  });

  test('Windows line ends keep their place', () => {
    const text = 'one\r\n\r\ntwo\r\n\r\n- a\r\n- b';
    expect(sources(text)).toEqual(['one\r\n\r\n', 'two\r\n\r\n', '- a\r\n- b']);
    expect(grow(text.split('')).blocks).toEqual(read(text));
  });

  test.each([
    ['Run: ```sh\nls\n```\nThen.', ['text', 'code', 'text']],
    ['Words\nand more:\n```\nls\n```', ['text', 'code']],
    ['Words so far:```\nls\n```', ['text', 'code']],
    ['Never closed ```', ['text']],
    ['Inline ```code``` here', ['text']],
    ['> Run: ```sh\n> ls\n> ```', ['text']],
    ['Text\n[^1]: A note.', ['text', 'note']],
    ['| a |\n|---|\n| 1 |\nAfter.', ['table', 'text']],
    ['\\begin{align}\n- a\n\\end{align}\nAfter.', ['tex', 'text']],
  ])('%j is %j', (text, right) => {
    expect(kinds(text)).toEqual(right);
    expect(grow(text.split('')).blocks).toEqual(read(text));
  });

  test.each(Object.entries(hostileAnswers))('%s: pieces stay short, and none is lost', (_name, make) => {
    const text = make(200_000);
    expect(sources(text).join('')).toBe(text);
    expect(Math.max(...sources(text).map(({ length }) => length))).toBeLessThanOrEqual(4500);
  });

  test.each(Object.entries(hostileAnswers))(
    '%s: a frame at the end of a long text changes few pieces',
    (_name, make) => {
      const text = make(60_000);
      const before = splitBlocks(emptySplit, text.slice(0, -20));
      const after = splitBlocks(before, text);
      expect(after.blocks).toEqual(read(text));
      const kept = after.blocks.filter((block, index) => block === before.blocks[index]).length;
      expect(after.blocks.length - kept).toBeLessThanOrEqual(30);
    },
  );
});

describe('units', () => {
  const unitKinds = (text: string) => unitsOf(read(text)).map(({ kind }) => kind);

  test('long code in many pieces is one block of code, with every line', () => {
    const lines = Array.from({ length: 500 }, (_, index) => `const line${index} = ${index};`).join('\n');
    const [unit, ...others] = unitsOf(read(`\`\`\`ts\n${lines}\n\`\`\`\n\nAfter.`));
    expect(others).toHaveLength(1);
    if (unit?.kind !== 'code') throw new Error('The first unit is no code.');
    expect(unit.blocks.length).toBeGreaterThan(5);
    const { language, chunks, isClosed } = fencedCode(unit.blocks);
    expect({ language, isClosed }).toEqual({ language: 'ts', isClosed: true });
    expect(chunks.join('')).toBe(`${lines}\n`);
  });

  test.each([
    ['```ts\nconst a', { isClosed: false, code: 'const a' }],
    ['```ts\nconst a\n```', { isClosed: true, code: 'const a\n' }],
    ['```ts\nconst a\n````  ', { isClosed: true, code: 'const a\n' }],
    ['````\n```\n', { isClosed: false, code: '```\n' }],
    ['````md\n```js\nx\n```\n````\n', { isClosed: true, code: '```js\nx\n```\n' }],
    ['~~~\ncode\n```\n', { isClosed: false, code: 'code\n```\n' }],
    ['~~~\ncode\n~~~\n\n', { isClosed: true, code: 'code\n' }],
    ['```', { isClosed: false, code: '' }],
    ['```md\n```js\nx\n```\nEnd\n```', { isClosed: true, code: '```js\nx\n```\nEnd\n' }],
    ['```md\n```js\nx\n```\n', { isClosed: false, code: '```js\nx\n```\n' }],
    ['```js\n```ts\n```\n', { isClosed: true, code: '```ts\n' }],
    ['  ```\n  code\n  ```', { isClosed: true, code: 'code\n' }],
  ])('%j as code', (text, { isClosed, code }) => {
    const [unit] = unitsOf(read(text));
    if (unit?.kind !== 'code') throw new Error('The first unit is no code.');
    const read1 = fencedCode(unit.blocks);
    expect({ isClosed: read1.isClosed, code: read1.chunks.join('') }).toEqual({ isClosed, code });
  });

  test('folded parts hold what stands between their tags, to a bounded depth', () => {
    expect(unitKinds('<details>\n<summary>More</summary>\n\nInside.\n\n</details>\n\nAfter.')).toEqual([
      'details',
      'piece',
    ]);
    expect(unitKinds('<details>\n\n'.repeat(1000))).toEqual(['details']);
    expect(unitKinds('</details>\n\n'.repeat(10))).toEqual([]);
  });

  test('a comment is hidden once it ends; one that never ends is words', () => {
    expect(unitKinds('Before.\n\n<!-- hidden\n\nstill hidden -->\n\nAfter.')).toEqual(['piece', 'piece']);
    const open = `<!-- ${'word '.repeat(600)}`;
    expect(unitsOf(read(open)).length).toBeGreaterThan(0);
  });
});

describe('a line of emoji', () => {
  const family = '👨🏽‍👩‍👧';

  test('comes in shorter pieces than one of letters, since each takes a layout longer', () => {
    const longest = (text: string) => Math.max(...read(text).map(({ source }) => source.length));
    expect(longest('a word '.repeat(3000))).toBeGreaterThan(1500);
    for (const text of ['👍🏽 ', '1️⃣👍🏽', `${family} `, '✅ ', '✅ done\n']) {
      expect(longest(text.repeat(3000))).toBeLessThan(1500);
    }
    // A few in a text change nothing.
    const prose = `${'a word '.repeat(300)}✅ 👍🏽`;
    expect(read(prose)).toHaveLength(1);
  });

  test('is cut between two of them where there is no space', () => {
    const pieces = read(family.repeat(2000)).map(({ source }) => source);
    expect(pieces.length).toBeGreaterThan(10);
    expect(pieces.join('')).toBe(family.repeat(2000));
    for (const piece of pieces) expect(piece.length % family.length).toBe(0);
  });
});

describe('references', () => {
  const named = (text: string) => {
    const blocks = read(text);
    const references = readReferences(blocks);
    return blocks.map((block) => definitionsFor(block, references));
  };

  test('a piece gets the definitions that it names and no others', () => {
    const text = `See [one].\n\nSee [Two][b].\n\nNo name.\n\n[one]: https://example.org/1\n[b]: https://example.org/2\n[c]: https://example.org/3`;
    expect(named(text).slice(0, 3)).toEqual(['[one]: https://example.org/1', '[b]: https://example.org/2', '']);
  });

  test('words in brackets with a colon are no definition', () => {
    expect(readReferences(read('[Note]: this is a sentence.')).definitions.size).toBe(0);
  });

  test('notes are numbered in the order in which the text names them', () => {
    const { notes } = readReferences(read('One[^b] and two[^a].\n\n[^a]: A.\n[^b]: B,\n    more of it.\n[^c]: C.'));
    expect([...notes.values()].map(({ key, number }) => [key, number])).toEqual([
      ['b', 1],
      ['a', 2],
      ['c', 3],
    ]);
    expect(notes.get('b')?.source).toContain('more of it.');
  });
});

test('unitsOf: looks at each block a few times, however many blocks of code there are', () => {
  const looks = (count: number) => {
    let seen = 0;
    const blocks = splitBlocks(emptySplit, '```\na\n```\n'.repeat(count)).blocks;
    const counted = new Proxy(blocks, {
      get: (target, name) => {
        seen += 1;
        return Reflect.get(target, name) as unknown;
      },
    });
    expect(unitsOf(counted)).toHaveLength(count);
    return seen;
  };
  expect(looks(1000)).toBeLessThan(2.5 * looks(500));
});
