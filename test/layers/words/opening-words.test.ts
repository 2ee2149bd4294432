import { describe, expect, test } from 'vitest';
import { readSourceFiles } from '../source-files.ts';

const comment = /(?:\/\*\*|^\s*\*|\/\/)\s+((?:What|Whether|Whoever|Of) .*)/gm;
/** The first argument of a call of `test` and its like, or of what their `each` gives. */
const title = /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*['`]((?:what|whether|whoever|of) [^'`]*)/gi;

/** Lists comments and titles whose first word puts the subject last: nobody reads them once. */
function findTurnedSentences(text: string): string[] {
  return [comment, title].flatMap((pattern) => [...text.matchAll(pattern)].map(([, words = '']) => words));
}

test('no comment and no title of a test begins with what, whether, whoever or of', () => {
  const files = [...readSourceFiles()].filter(([path]) => path !== 'test/layers/words/opening-words.test.ts');
  expect(files.length).toBeGreaterThan(1000);
  expect(files.flatMap(([path, text]) => findTurnedSentences(text).map((words) => `${path}: ${words}`))).toEqual([]);
});

describe('findTurnedSentences', () => {
  test.each([
    ['a comment of one line', '/** What it holds. */', '/** It holds this. */'],
    ['a comment of many lines', '/**\n * Whether it holds.\n */', '/**\n * True if it holds.\n */'],
    ['a comment beside code', 'read(); // Of two, the later one.', 'read(); // The later one of two.'],
    ['a title', `test('what is usual', () => {`, `test('readSettings: the usual values', () => {`],
    ['a title of a table', `it.each([1])(\n  'of %i bytes', () => {`, `it.each([1])(\n  'reads %i bytes', () => {`],
    ['a title of a group', 'describe.concurrent(`whoever asks`, () => {', 'describe.concurrent(`a caller`, () => {'],
    ['a title, beside a case of a table', `test('of a batch', () => {`, `['of another key', 'signature'],`],
  ])('refuses %s, beside the accepted twin', (_name, refused, accepted) => {
    expect(findTurnedSentences(refused)).toHaveLength(1);
    expect(findTurnedSentences(accepted)).toEqual([]);
  });
});
