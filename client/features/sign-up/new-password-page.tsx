import { useRef, useEffect, useState, type FormEvent } from 'react';
import { Button } from '../../design/button.tsx';
import { Notice } from '../../design/notice.tsx';
import { PasswordField } from '../../design/password-field.tsx';
import { failureText } from '../../state/failure-texts.ts';
import { navigate } from '../../state/router.ts';
import type { VaultFailure } from '../../vault/vault-api.ts';
import { AccountPageFrame } from '../shell/account-page-frame.tsx';
import { useAppSelector, useVault } from '../shell/app-context.tsx';
import { readForm } from '../shell/read-form.ts';
import { StrengthMeter } from './strength-meter.tsx';

function toChat(): void {
  navigate({ page: 'chat', conversationId: null });
}

/** After a recovery, where it can be left out, and from the account menu. */
export function NewPasswordPage() {
  const vault = useVault();
  const afterRecovery = useAppSelector((state) => state.session.needsNewPassword);
  const field = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => field.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const { newPassword } = readForm(event, { newPassword: 'new-password' });
    setPassword(newPassword);
    setBusy(true);
    setFailure(null);
    const result = await vault.call((api) => api.changePassword({ newPassword }));
    setBusy(false);
    if (result.ok) return toChat();
    setFailure(result.failure);
    field.current?.focus();
  }

  return (
    <AccountPageFrame
      heading="Choose a new password"
      lead={
        afterRecovery
          ? 'You are in. If you no longer know your password, choose a new one now. Your recovery phrase stays the same.'
          : 'All other sessions of this account end. Your recovery phrase stays the same.'
      }
    >
      <form onSubmit={(event) => void submit(event)} className="grid gap-6">
        <PasswordField
          ref={field}
          label="New password"
          name="new-password"
          autoComplete="new-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          hint={<StrengthMeter password={password} userName="" />}
        />
        {failure !== null && (
          <Notice tone="danger" urgent>
            {failureText(failure)}
          </Notice>
        )}
        <div className="flex flex-wrap gap-3">
          <Button type="submit" look="primary" busy={busy} className="flex-1">
            Set password
          </Button>
          <Button look="quiet" onClick={toChat}>
            {afterRecovery ? 'Skip' : 'Cancel'}
          </Button>
        </div>
      </form>
    </AccountPageFrame>
  );
}
