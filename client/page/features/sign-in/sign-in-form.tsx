import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { PasswordField } from '../../design/fields/password-field.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { readForm } from '../../shell/forms/read-form.ts';
import { UserNameField } from '../../shell/forms/user-name-field.tsx';
import { say } from '../../texts/say.ts';

export function SignInForm() {
  const vault = useVault();
  const firstField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => firstField.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = readForm(event, { userName: 'username', password: 'password' });
    setUserName(typed.userName);
    setPassword(typed.password);
    setBusy(true);
    setFailure(null);
    const result = await vault.call((api) => api.signIn(typed));
    setBusy(false);
    if (result.ok) return;
    setFailure(result.failure);
    if (result.failure.code === 'invalid-user-name') firstField.current?.focus();
    if (result.failure.code === 'sign-in-failed') passwordField.current?.focus();
  }

  const said = failure === null ? undefined : failureText(failure);
  const nameError = failure?.code === 'invalid-user-name' ? said : undefined;
  const passwordError = failure?.code === 'sign-in-failed' ? said : undefined;

  return (
    <form onSubmit={(event) => void submit(event)} className="grid gap-6">
      <UserNameField ref={firstField} value={userName} onValue={setUserName} error={nameError} />
      <PasswordField
        ref={passwordField}
        label={say('field.password')}
        error={passwordError}
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {said !== undefined && nameError === undefined && passwordError === undefined && (
        <Notice tone="danger" urgent>
          {said}
        </Notice>
      )}
      <Button type="submit" look="primary" busy={busy}>
        {say('account.sign-in')}
      </Button>
    </form>
  );
}
