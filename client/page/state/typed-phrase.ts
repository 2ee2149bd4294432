import type { VaultFailure } from '../../vault/api/vault-api.ts';
import { say } from '../texts/say.ts';

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
    parts.push(say('typed-phrase.count', { count: words.length, all: phraseLength }));
  }
  if (unknown.length > mostNamed) {
    parts.push(say('typed-phrase.many-unknown', { count: unknown.length }));
  } else {
    for (const position of unknown) {
      const word = shortened(words[position - 1]?.word ?? '');
      parts.push(say('typed-phrase.unknown', { position, word }));
    }
    if (unknown.length > 0) parts.push(say('typed-phrase.check'));
  }
  return parts.length > 0 ? parts.join(' ') : say('typed-phrase.no-match');
}

function shortened(word: string): string {
  return word.length > longestNamed ? `${word.slice(0, longestNamed)}…` : word;
}
