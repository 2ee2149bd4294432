import type { VaultFailure } from '../../vault/api/vault-api.ts';

export const phraseLength = 24;
/** More of them, and it is not a slip of the pen. */
const mostNamed = 4;
const longestNamed = 24;

export type TypedWord = { readonly word: string; readonly start: number };

/** The words of a phrase as it was typed or pasted; the numbers of a numbered list are none. */
export function typedWords(text: string): readonly TypedWord[] {
  return [...text.matchAll(/[^\s\d.,)]+/g)].map(({ 0: word, index }) => ({ word, start: index }));
}

/** Why these cannot be the words of a phrase, as far as that can be told: a number and the word itself where it is in no list. */
export function phraseText(words: readonly TypedWord[], { unknownWords = [] }: VaultFailure): string {
  const unknown = unknownWords.filter((number) => number <= words.length);
  const parts: string[] = [];
  if (words.length !== phraseLength) {
    parts.push(
      `This has ${words.length === 1 ? '1 word' : `${words.length} words`}; a recovery phrase has ${phraseLength}.`,
    );
  }
  if (unknown.length > mostNamed) {
    parts.push(`${unknown.length} of them are in no recovery phrase. Look at the sheet that you wrote.`);
  } else {
    for (const number of unknown) {
      parts.push(`Word ${number}, “${shortened(words[number - 1]?.word ?? '')}”, is in no recovery phrase.`);
    }
    if (unknown.length > 0) parts.push('Check the spelling.');
  }
  if (parts.length > 0) return parts.join(' ');
  return (
    'Each of these words can be in a recovery phrase, but they do not belong together: ' +
    'one is another word, or they stand in another order.'
  );
}

function shortened(word: string): string {
  return word.length > longestNamed ? `${word.slice(0, longestNamed)}…` : word;
}
