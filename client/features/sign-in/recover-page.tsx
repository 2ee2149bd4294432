import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/button.tsx';
import { Notice } from '../../design/notice.tsx';
import { fieldClasses } from '../../design/text-field.tsx';
import { failureText } from '../../state/failure-texts.ts';
import { phraseLength, phraseText, type TypedWord, typedWords } from '../../state/typed-phrase.ts';
import type { FailureCode } from '../../vault/vault-api.ts';
import { AccountPageFrame } from '../shell/account-page-frame.tsx';
import { useVault } from '../shell/app-context.tsx';
import { Link } from '../shell/link.tsx';
import { readForm } from '../shell/read-form.ts';
import { UserNameField } from '../shell/user-name-field.tsx';

/** Said of the words as they were sent, not of those that are being mended. */
type Failed = { readonly code: FailureCode; readonly said: string };

export function RecoverPage() {
  const vault = useVault();
  const phraseId = useId();
  const firstField = useRef<HTMLInputElement>(null);
  const phrase = useRef<HTMLTextAreaElement>(null);
  const [userName, setUserName] = useState('');
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<Failed | null>(null);

  useEffect(() => firstField.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = readForm(event, { userName: 'username', words: 'phrase' });
    setUserName(typed.userName);
    setWords(typed.words);
    setBusy(true);
    setFailed(null);
    const found = typedWords(typed.words);
    const sent = found.map(({ word }) => word).join(' ');
    const result = await vault.call((api) => api.signInWithPhrase({ userName: typed.userName, words: sent }));
    setBusy(false);
    if (result.ok) return;
    const { failure } = result;
    const { code } = failure;
    setFailed({ code, said: code === 'invalid-phrase' ? phraseText(found, failure) : failureText(failure) });
    if (code === 'invalid-user-name') firstField.current?.focus();
    else phrase.current?.focus();
    selectWord(phrase.current, found[(failure.unknownWords?.[0] ?? 0) - 1]);
  }

  const isWordsWrong = failed?.code === 'invalid-phrase' || failed?.code === 'sign-in-failed';

  return (
    <AccountPageFrame
      heading="Your recovery phrase"
      lead="The 24 words that you wrote down when you made your account."
      below={
        <Link to={{ page: 'sign-in' }} className="text-link">
          Use your password instead
        </Link>
      }
    >
      <form onSubmit={(event) => void submit(event)} className="grid gap-6">
        <UserNameField ref={firstField} value={userName} onValue={setUserName} />
        <div>
          <label htmlFor={phraseId} className="mb-1.5 block font-semibold">
            Recovery phrase
          </label>
          <textarea
            id={phraseId}
            // "off" also keeps the browser from writing it to disk for its own session restore.
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            translate="no"
            name="phrase"
            required
            rows={5}
            ref={phrase}
            aria-invalid={isWordsWrong ? true : undefined}
            value={words}
            onChange={(event) => setWords(event.target.value)}
            aria-describedby={isWordsWrong ? `${phraseId}-error ${phraseId}-count` : `${phraseId}-count`}
            className={`${fieldClasses} font-mono text-small`}
          />
          <p id={`${phraseId}-count`} className="mt-1.5 text-small text-ink-soft">
            {typedWords(words).length} of {phraseLength} words
          </p>
        </div>
        {failed !== null && (
          <Notice tone="danger" urgent>
            <span id={`${phraseId}-error`}>{failed.said}</span>
          </Notice>
        )}
        <Button type="submit" look="primary" busy={busy}>
          Sign in
        </Button>
      </form>
    </AccountPageFrame>
  );
}

/** Shows which word is meant, where it is one of them. */
function selectWord(field: HTMLTextAreaElement | null, word: TypedWord | undefined): void {
  if (field !== null && word !== undefined) field.setSelectionRange(word.start, word.start + word.word.length);
}
