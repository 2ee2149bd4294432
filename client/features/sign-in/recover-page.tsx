import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/button.tsx';
import { Notice } from '../../design/notice.tsx';
import { fieldClasses } from '../../design/text-field.tsx';
import { failureText } from '../../state/failure-texts.ts';
import type { VaultFailure } from '../../vault/vault-api.ts';
import { AccountPageFrame } from '../shell/account-page-frame.tsx';
import { useVault } from '../shell/app-context.tsx';
import { Link } from '../shell/link.tsx';
import { readForm } from '../shell/read-form.ts';
import { UserNameField } from '../shell/user-name-field.tsx';

export function RecoverPage() {
  const vault = useVault();
  const phraseId = useId();
  const firstField = useRef<HTMLInputElement>(null);
  const phrase = useRef<HTMLTextAreaElement>(null);
  const [userName, setUserName] = useState('');
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => firstField.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = readForm(event, { userName: 'username', words: 'phrase' });
    setUserName(typed.userName);
    setWords(typed.words);
    setBusy(true);
    setFailure(null);
    const result = await vault.call((api) =>
      api.signInWithPhrase({ ...typed, words: splitWords(typed.words).join(' ') }),
    );
    setBusy(false);
    if (result.ok) return;
    setFailure(result.failure);
    (result.failure.code === 'invalid-user-name' ? firstField : phrase).current?.focus();
  }

  const isWordsWrong = failure?.code === 'invalid-phrase' || failure?.code === 'sign-in-failed';

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
            {splitWords(words).length} of 24 words
          </p>
        </div>
        {failure !== null && (
          <Notice tone="danger" urgent>
            <span id={`${phraseId}-error`}>{failureText(failure)}</span>
          </Notice>
        )}
        <Button type="submit" look="primary" busy={busy}>
          Sign in
        </Button>
      </form>
    </AccountPageFrame>
  );
}

/** The numbers of a numbered list are not words. */
function splitWords(text: string): string[] {
  return text.split(/[\s\d.,)]+/).filter((word) => word !== '');
}
