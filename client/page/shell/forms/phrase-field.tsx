import { useId, type Ref } from 'react';
import { describedBy, fieldClasses, FieldNotes } from '../../design/fields/text-field.tsx';
import { phraseLength, type TypedWord, typedWords } from '../../state/typed-phrase.ts';
import { say } from '../../texts/say.ts';

type PhraseFieldProps = {
  readonly ref?: Ref<HTMLTextAreaElement>;
  readonly words: string;
  readonly onWords: (words: string) => void;
  readonly error?: string | undefined;
};

/** The words of a recovery phrase, as they are typed or pasted. */
export function PhraseField({ ref, words, onWords, error }: PhraseFieldProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block font-semibold">
        {say('field.phrase')}
      </label>
      <textarea
        id={id}
        // "off" also keeps the browser from writing it to disk for its own session restore.
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        translate="no"
        name="phrase"
        required
        rows={5}
        ref={ref}
        aria-invalid={error === undefined ? undefined : true}
        value={words}
        onChange={(event) => onWords(event.target.value)}
        aria-describedby={describedBy(id, true, error !== undefined)}
        className={`${fieldClasses} font-mono text-small`}
      />
      <FieldNotes
        id={id}
        hint={say('field.phrase-count', { count: typedWords(words).length, all: phraseLength })}
        error={error}
      />
    </div>
  );
}

/** Shows which word is meant, where it is one of them. */
export function selectWord(field: HTMLTextAreaElement | null, word: TypedWord | undefined): void {
  if (field !== null && word !== undefined) field.setSelectionRange(word.start, word.start + word.word.length);
}
