import { expect, test } from 'vitest';
import { phraseText, typedWords } from '../../../../client/page/state/typed-phrase.ts';

const right: readonly string[] = Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? 'abandon' : 'zoo'));
const said = (words: readonly string[], unknownWords?: readonly number[]) =>
  phraseText(typedWords(words.join(' ')), {
    code: 'invalid-phrase',
    ...(unknownWords === undefined ? {} : { unknownWords }),
  });

test('words are found between numbers, dots and line ends, where they stand', () => {
  const text = '1. abandon\n2) zoo,  3.able';
  const found = typedWords(text);
  expect(found.map(({ word }) => word)).toEqual(['abandon', 'zoo', 'able']);
  for (const { word, start } of found) expect(text.slice(start, start + word.length)).toBe(word);
  expect(typedWords(' 1. \n')).toEqual([]);
});

test('a mistyped word is named with its number and as it was typed', () => {
  const text = said(right.with(4, 'Abandn'), [5]);
  expect(text).toBe('Word 5, “Abandn”, is in no recovery phrase. Check the spelling.');
  const two = said(right.with(4, 'abandn').with(23, 'zo'), [5, 24]);
  expect(two).toContain('Word 5, “abandn”, is');
  expect(two).toContain('Word 24, “zo”, is');
});

test('another number of words is said, beside the words that are wrong', () => {
  expect(said(right.slice(1))).toBe('This has 23 words; a recovery phrase has 24.');
  expect(said(['zo'], [1])).toBe(
    'This has 1 word; a recovery phrase has 24. Word 1, “zo”, is in no recovery phrase. Check the spelling.',
  );
});

test('words that are all in the list, with a wrong checksum, are said not to belong together', () => {
  expect(said(right)).toContain('do not belong together');
});

test('a text that is no phrase at all is neither repeated nor told word by word', () => {
  const other = Array.from({ length: 300 }, (_, index) => `other${'x'.repeat(200)}${index}`.replaceAll(/\d/g, 'y'));
  const text = said(
    other,
    other.map((_, index) => index + 1),
  );
  expect(text).toContain('300 of them are in no recovery phrase');
  expect(said(right.with(0, 'x'.repeat(5000)), [1]).length).toBeLessThan(200);
});
