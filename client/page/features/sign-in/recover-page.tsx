import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { phraseText, typedWords } from '../../state/typed-phrase.ts';
import type { FailureCode } from '../../../vault/api/vault-api.ts';
import { AccountPageFrame } from '../../shell/frames/account-page-frame.tsx';
import { useVault } from '../../shell/context/app-context.tsx';
import { Link } from '../../shell/routes/link.tsx';
import { PhraseField, selectWord } from '../../shell/forms/phrase-field.tsx';
import { readForm } from '../../shell/forms/read-form.ts';
import { UserNameField } from '../../shell/forms/user-name-field.tsx';
import { say } from '../../texts/say.ts';

const wordsCodes: ReadonlySet<string> = new Set(['invalid-phrase', 'sign-in-failed']);

/** Said of the words as they were sent, not of those that are being mended. */
type Failed = { readonly code: FailureCode; readonly said: string };

export function RecoverPage() {
  const vault = useVault();
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
    const result = await vault.call((api) => api.signIn({ by: 'phrase', userName: typed.userName, words: sent }));
    setBusy(false);
    if (result.ok) return;
    const { failure } = result;
    const { code } = failure;
    setFailed({ code, said: code === 'invalid-phrase' ? phraseText(found, failure) : failureText(failure) });
    if (code === 'invalid-user-name') firstField.current?.focus();
    if (wordsCodes.has(code)) phrase.current?.focus();
    selectWord(phrase.current, found[(failure.unknownWords?.[0] ?? 0) - 1]);
  }

  const nameError = failed?.code === 'invalid-user-name' ? failed.said : undefined;
  const wordsError = failed !== null && wordsCodes.has(failed.code) ? failed.said : undefined;

  return (
    <AccountPageFrame
      heading={say('recover.heading')}
      lead={say('recover.lead')}
      below={
        <Link to={{ page: 'sign-in' }} className="text-link">
          {say('recover.by-password')}
        </Link>
      }
    >
      <form onSubmit={(event) => void submit(event)} className="grid gap-6">
        <UserNameField ref={firstField} value={userName} onValue={setUserName} error={nameError} />
        <PhraseField ref={phrase} words={words} onWords={setWords} error={wordsError} />
        {failed !== null && nameError === undefined && wordsError === undefined && (
          <Notice tone="danger" urgent>
            {failed.said}
          </Notice>
        )}
        <Button type="submit" look="primary" busy={busy}>
          {say('account.sign-in')}
        </Button>
      </form>
    </AccountPageFrame>
  );
}
