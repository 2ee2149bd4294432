import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/button.tsx';
import { Notice } from '../../design/notice.tsx';
import { PasswordField } from '../../design/password-field.tsx';
import { failureText } from '../../state/failure-texts.ts';
import type { VaultFailure } from '../../vault/vault-api.ts';
import { useVault } from '../shell/app-context.tsx';
import { UserNameField } from '../shell/user-name-field.tsx';

export function SignInForm() {
  const vault = useVault();
  const firstField = useRef<HTMLInputElement>(null);
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => firstField.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    const result = await vault.call((api) => api.signIn({ userName, password }));
    setBusy(false);
    if (!result.ok) setFailure(result.failure);
  }

  return (
    <form onSubmit={(event) => void submit(event)} className="grid gap-6">
      <UserNameField ref={firstField} value={userName} onValue={setUserName} />
      <PasswordField
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {failure !== null && (
        <Notice tone="danger" urgent>
          {failureText(failure)}
        </Notice>
      )}
      <Button type="submit" look="primary" busy={busy}>
        Sign in
      </Button>
    </form>
  );
}
