import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { PasswordField } from '../../design/fields/password-field.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { signOutAsked } from '../../state/slices/session-slice.ts';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { AccountPageFrame } from '../../shell/frames/account-page-frame.tsx';
import { useAppDispatch, useVault } from '../../shell/context/app-context.tsx';
import { readForm } from '../../shell/forms/read-form.ts';
import { say } from '../../texts/say.ts';

/** There is a session here, but no key in memory: the password brings it back. */
export function UnlockPage() {
  const vault = useVault();
  const dispatch = useAppDispatch();
  const field = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState<'unlock' | 'sign-out' | null>(null);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => field.current?.focus(), []);

  async function unlock(event: FormEvent) {
    event.preventDefault();
    const typed = readForm(event, { password: 'password' });
    setPassword(typed.password);
    setBusy('unlock');
    setFailure(null);
    const result = await vault.call((api) => api.unlock(typed));
    setBusy(null);
    if (result.ok) return;
    setFailure(result.failure);
    field.current?.focus();
  }

  async function signOut() {
    setBusy('sign-out');
    dispatch(signOutAsked());
    const result = await vault.call((api) => api.signOut());
    setBusy(null);
    if (!result.ok) setFailure(result.failure);
  }

  return (
    <AccountPageFrame heading={say('unlock.heading')} lead={say('unlock.lead')}>
      <form onSubmit={(event) => void unlock(event)} className="grid gap-6">
        <PasswordField
          ref={field}
          label={say('field.password')}
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={failure?.code === 'sign-in-failed' ? say('unlock.wrong') : undefined}
        />
        {failure !== null && failure.code !== 'sign-in-failed' && (
          <Notice tone="danger" urgent>
            {failureText(failure)}
          </Notice>
        )}
        <div className="flex flex-wrap gap-3">
          <Button type="submit" look="primary" busy={busy === 'unlock'} className="flex-auto">
            {say('unlock.unlock')}
          </Button>
          <Button look="quiet" busy={busy === 'sign-out'} onClick={() => void signOut()}>
            {say('account.sign-out')}
          </Button>
        </div>
      </form>
    </AccountPageFrame>
  );
}
