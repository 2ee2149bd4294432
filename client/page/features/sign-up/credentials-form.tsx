import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { PasswordField } from '../../design/fields/password-field.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { readForm } from '../../shell/forms/read-form.ts';
import { UserNameField } from '../../shell/forms/user-name-field.tsx';
import { StrengthMeter } from './strength-meter.tsx';
import { say } from '../../texts/say.ts';

type CredentialsFormProps = {
  readonly userName: string;
  readonly onUserName: (userName: string) => void;
  /** Why the step after this one sent the visitor back. */
  readonly refusal: VaultFailure | null;
  readonly onPrepared: (recoveryWords: readonly string[]) => void;
};

const nameCodes: ReadonlySet<string> = new Set(['name-taken', 'invalid-user-name']);
const passwordCodes: ReadonlySet<string> = new Set(['weak-password', 'password-too-long']);

export function CredentialsForm({ userName, onUserName, refusal, onPrepared }: CredentialsFormProps) {
  const vault = useVault();
  const firstField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(refusal);

  useEffect(() => firstField.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = readForm(event, { userName: 'username', password: 'new-password' });
    onUserName(typed.userName);
    setPassword(typed.password);
    setBusy(true);
    setFailure(null);
    const result = await vault.call((api) => api.beginSignUp(typed));
    setBusy(false);
    if (result.ok) return onPrepared(result.value.recoveryWords);
    setFailure(result.failure);
    if (nameCodes.has(result.failure.code)) firstField.current?.focus();
    if (passwordCodes.has(result.failure.code)) passwordField.current?.focus();
  }

  /** It was said of what stood in the field then. */
  function takeBack(codes: ReadonlySet<string>) {
    setFailure((now) => (now !== null && codes.has(now.code) ? null : now));
  }

  const nameError = failure !== null && nameCodes.has(failure.code) ? failureText(failure) : undefined;
  const passwordError = failure !== null && passwordCodes.has(failure.code) ? failureText(failure) : undefined;
  return (
    <form onSubmit={(event) => void submit(event)} className="grid gap-6">
      <UserNameField
        ref={firstField}
        value={userName}
        onValue={(value) => {
          onUserName(value);
          takeBack(nameCodes);
        }}
        error={nameError}
        hint={say('sign-up.name-hint')}
      />
      <PasswordField
        ref={passwordField}
        label={say('field.password')}
        name="new-password"
        autoComplete="new-password"
        required
        value={password}
        onChange={(event) => {
          setPassword(event.target.value);
          takeBack(passwordCodes);
        }}
        error={passwordError}
        hint={<StrengthMeter password={password} userName={userName} />}
      />
      {failure !== null && nameError === undefined && passwordError === undefined && (
        <Notice tone="danger" urgent>
          {failureText(failure)}
        </Notice>
      )}
      <Button type="submit" look="primary" busy={busy}>
        {say('account.create')}
      </Button>
    </form>
  );
}
