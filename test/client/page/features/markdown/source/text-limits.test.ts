import fc from 'fast-check';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { describe, expect, test } from 'vitest';
import { remarkModelMarkdown } from '../../../../../../client/page/features/markdown/source/inline/model-markdown.ts';
import { prepareSource } from '../../../../../../client/page/features/markdown/source/prepare-source.ts';
import {
  definitionsFor,
  readReferences,
} from '../../../../../../client/page/features/markdown/source/inline/references.ts';
import { emptySplit, splitBlocks } from '../../../../../../client/page/features/markdown/source/blocks/split-blocks.ts';
import { isFormattable } from '../../../../../../client/page/features/markdown/source/text-limits.ts';
import { hostileAnswers } from '../../../../../parts/worker/writing/hostile-answers.ts';

/** Reads a whole answer as the page does, piece by piece. @returns how many pieces were read as Markdown. */
function readAnswer(text: string): number {
  const { blocks } = splitBlocks(emptySplit, text);
  const references = readReferences(blocks);
  let formatted = 0;
  for (const block of blocks) {
    const { source, isChanged, firstNumber } = prepareSource(block);
    if (!isFormattable(source)) continue;
    const processor = unified()
      .use(remarkParse)
      .use(remarkGfm, { singleTilde: false })
      .use(remarkModelMarkdown, { restores: isChanged, firstNumber })
      .use(remarkRehype);
    processor.runSync(processor.parse(`${source}\n\n${definitionsFor(block, references)}`));
    formatted += 1;
  }
  return formatted;
}

/** Processor time of this process in ms, which other processes of a busy machine do not lengthen. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const best = (times: number, work: () => void) => Math.min(...Array.from({ length: times }, () => cpuMs(work)));

describe('reading an answer', () => {
  test.each(Object.entries(hostileAnswers))(
    '%s: four times the text takes about four times the work',
    (_name, make) => {
      const [short, long] = [make(4 * 1024), make(16 * 1024)];
      readAnswer(short);
      // Quadratic work would be sixteen times in every round; what a collection or a busy machine adds is so in one or two.
      let least = Infinity;
      for (let round = 0; round < 5 && least >= 10; round++) {
        const shortMs = best(2, () => readAnswer(short));
        least = Math.min(least, cpuMs(() => readAnswer(long)) / Math.max(shortMs, 4));
      }
      expect(least).toBeLessThan(10);
    },
  );

  test('property: any mixture of signs is read without a failure', () => {
    const signs =
      '* ** _ ~~ ` ``` [ ] ]( ![ < > <br> <sub> </sub> <!-- --> | |---| - 1. # $ $$ \\( \\) \\ & &amp; [^1] [a]:b www.a.b a@b.c word 中文 “ 。';
    const spaces = ['\n', '\n\n', ' ', '    ', '\t', '- ', '1. ', '> ', '# ', '[^1]: ', '\u0000', '\ud800', '\ue130'];
    const sign = fc.constantFrom(...signs.split(' '), ...spaces);
    const runs = Number(process.env['FUZZ_RUNS'] ?? 400);
    fc.assert(
      fc.property(fc.array(fc.tuple(sign, fc.integer({ min: 1, max: 12 })), { maxLength: 60 }), (parts) => {
        const text = parts.map(([each, times]) => each.repeat(times)).join('');
        expect(readAnswer(text)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: runs, ...(runs > 400 ? {} : { seed: 6 }) },
    );
  });
});

describe('isFormattable', () => {
  test.each([
    ['> '.repeat(11), '> '.repeat(10)],
    ['- '.repeat(11), '- '.repeat(10)],
    ['1. '.repeat(11), '1. '.repeat(10)],
    [deepList(11), deepList(10)],
    ['*a '.repeat(301), '*a '.repeat(300)],
    ['['.repeat(151), '['.repeat(150)],
    ['&a;'.repeat(101), '&a;'.repeat(100)],
    ['a\n=\n\n'.repeat(21), 'a\n=\n\n'.repeat(20)],
  ])('refuses more than its limit and takes the limit', (beyond, within) => {
    expect([isFormattable(beyond), isFormattable(within)]).toEqual([false, true]);
  });

  test('takes a page of dense prose', () => {
    const dense = 'A **bold** word, a [link](https://example.org/a_b), `code` and *more* of it (a_b, c*d). '.repeat(30);
    expect(isFormattable(dense)).toBe(true);
  });
});

function deepList(depth: number): string {
  return Array.from({ length: depth }, (_, level) => `${' '.repeat(2 * level)}- a`).join('\n');
}
