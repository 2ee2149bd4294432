import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { PasswordField } from '../../design/fields/password-field.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { navigate } from '../../state/router.ts';
import { phraseText, typedWords } from '../../state/typed-phrase.ts';
import type { FailureCode, OwnProof } from '../../../vault/api/vault-api.ts';
import { AccountPageFrame } from '../../shell/frames/account-page-frame.tsx';
import { useAppSelector, useVault } from '../../shell/context/app-context.tsx';
import { selectWord } from '../../shell/forms/phrase-field.tsx';
import { readForm } from '../../shell/forms/read-form.ts';
import { type OfferedProof, OwnProofField } from './own-proof-field.tsx';
import { StrengthMeter } from './strength-meter.tsx';
import { say } from '../../texts/say.ts';

const names = {
  newPassword: 'new-password',
  again: 'new-password-again',
  current: 'current-password',
  words: 'phrase',
};
const proofCodes: ReadonlySet<string> = new Set([
  'wrong-password',
  'invalid-phrase',
  'proof-needed',
  'relay:proof-failed',
]);
const passwordCodes: ReadonlySet<string> = new Set(['weak-password', 'password-too-long']);

/** Said of what was sent, not of what is being mended. */
type Failed = { readonly code: FailureCode; readonly said: string };

function toChat(): void {
  navigate({ page: 'chat', conversationId: null });
}

/** After a recovery, where it can be left out, and from the account menu. */
export function NewPasswordPage() {
  const vault = useVault();
  const afterRecovery = useAppSelector((state) => state.session.needsNewPassword);
  const proofField = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const newField = useRef<HTMLInputElement>(null);
  const againField = useRef<HTMLInputElement>(null);
  const [by, setBy] = useState<OfferedProof>(afterRecovery ? 'recent-phrase' : 'password');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [isUnlike, setUnlike] = useState(false);
  const [failed, setFailed] = useState<Failed | null>(null);
  const [isChanged, setChanged] = useState(false);

  useEffect(() => (proofField.current ?? newField.current)?.focus(), [by]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = readForm(event, names);
    setPassword(typed.newPassword);
    setFailed(null);
    setUnlike(typed.newPassword !== typed.again);
    if (typed.newPassword !== typed.again) return againField.current?.focus();
    setBusy(true);
    const found = typedWords(typed.words);
    const words = found.map(({ word }) => word).join(' ');
    const proof = proofOf(by, { current: typed.current, words });
    const result = await vault.call((api) => api.changePassword({ newPassword: typed.newPassword, proof }));
    setBusy(false);
    if (result.ok) return setChanged(true);
    const { failure } = result;
    const { code } = failure;
    setFailed({ code, said: code === 'invalid-phrase' ? phraseText(found, failure) : failureText(failure) });
    // The field for it comes now, and takes the focus.
    if (code === 'proof-needed') setBy('phrase');
    if (proofCodes.has(code)) proofField.current?.focus();
    if (passwordCodes.has(code)) newField.current?.focus();
    if (code === 'invalid-phrase') selectWord(proofField.current, found[(failure.unknownWords?.[0] ?? 0) - 1]);
  }

  function proveBy(next: OfferedProof) {
    setBy(next);
    setFailed(null);
  }

  if (isChanged) {
    return (
      <AccountPageFrame heading={say('new-password.done')} lead={say('new-password.done-lead')} headingTakesFocus>
        <Button look="primary" onClick={toChat}>
          {say('new-password.to-chats')}
        </Button>
      </AccountPageFrame>
    );
  }

  const textFor = (codes: ReadonlySet<string>) => (failed !== null && codes.has(failed.code) ? failed.said : undefined);
  const proofError = textFor(proofCodes);
  const passwordError = textFor(passwordCodes);
  return (
    <AccountPageFrame
      heading={say('new-password.heading')}
      lead={afterRecovery ? say('new-password.lead-recovered') : say('new-password.lead')}
    >
      <form onSubmit={(event) => void submit(event)} className="grid gap-6">
        {by !== 'recent-phrase' && <OwnProofField ref={proofField} by={by} onBy={proveBy} error={proofError} />}
        <PasswordField
          ref={newField}
          label={say('new-password.new')}
          name={names.newPassword}
          autoComplete="new-password"
          required
          value={password}
          onChange={(event) => {
            setPassword(event.target.value);
            // It was said of what stood here then.
            setFailed((now) => (now !== null && passwordCodes.has(now.code) ? null : now));
          }}
          error={passwordError}
          hint={<StrengthMeter password={password} userName="" />}
        />
        <PasswordField
          ref={againField}
          label={say('new-password.again')}
          name={names.again}
          autoComplete="new-password"
          required
          onChange={() => setUnlike(false)}
          error={isUnlike ? say('new-password.unlike') : undefined}
        />
        {failed !== null && proofError === undefined && passwordError === undefined && (
          <Notice tone="danger" urgent>
            {failed.said}
          </Notice>
        )}
        <div className="flex flex-wrap gap-3">
          <Button type="submit" look="primary" busy={busy} className="flex-auto">
            {say('new-password.set')}
          </Button>
          <Button look="quiet" onClick={toChat}>
            {afterRecovery ? say('new-password.skip') : say('button.cancel')}
          </Button>
        </div>
      </form>
    </AccountPageFrame>
  );
}

function proofOf(by: OfferedProof, typed: { readonly current: string; readonly words: string }): OwnProof {
  if (by === 'password') return { by, password: typed.current };
  return by === 'phrase' ? { by, words: typed.words } : { by };
}
