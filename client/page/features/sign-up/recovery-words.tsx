import { Fragment } from 'react';
import { say } from '../../texts/say.ts';

/** Numbers are drawn, not written: what is selected or read by a program is the words alone, with spaces between. */
export function RecoveryWords({ words }: { readonly words: readonly string[] }) {
  return (
    <ol
      data-testid="recovery-phrase"
      translate="no"
      aria-label={say('phrase.words')}
      className="grid grid-cols-2 gap-x-6 gap-y-2.5 rounded-control border border-line bg-paper px-5 py-5 font-mono text-small [counter-reset:word] min-[30rem]:grid-cols-3 sm:grid-cols-4"
    >
      {words.map((word, position) => (
        <Fragment key={`${position + 1} ${word}`}>
          <li className="flex gap-2.5 [counter-increment:word] before:w-5 before:text-right before:text-ink-faint before:content-[counter(word)] before:select-none">
            {word}
          </li>{' '}
        </Fragment>
      ))}
    </ol>
  );
}
