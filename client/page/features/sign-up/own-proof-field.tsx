import { useState, type Ref } from 'react';
import { PasswordField } from '../../design/fields/password-field.tsx';
import type { OwnProof } from '../../../vault/api/vault-api.ts';
import { PhraseField } from '../../shell/forms/phrase-field.tsx';
import { say } from '../../texts/say.ts';

/** Ways of the vault that this page offers: others have places of their own. */
export type OfferedProof = Extract<OwnProof['by'], 'password' | 'phrase' | 'recent-phrase'>;

type OwnProofFieldProps = {
  readonly ref: Ref<HTMLInputElement & HTMLTextAreaElement>;
  readonly by: Exclude<OfferedProof, 'recent-phrase'>;
  readonly onBy: (by: OfferedProof) => void;
  readonly error: string | undefined;
};

/** The current password, or the recovery phrase of somebody who no longer knows it. */
export function OwnProofField({ ref, by, onBy, error }: OwnProofFieldProps) {
  const [words, setWords] = useState('');
  const isPassword = by === 'password';
  return (
    <div className="grid gap-2">
      {isPassword ? (
        <PasswordField
          ref={ref}
          label={say('new-password.current')}
          name="current-password"
          autoComplete="current-password"
          required
          error={error}
        />
      ) : (
        <PhraseField ref={ref} words={words} onWords={setWords} error={error} />
      )}
      <button
        type="button"
        className="min-h-8 justify-self-start text-start text-small text-link"
        onClick={() => onBy(isPassword ? 'phrase' : 'password')}
      >
        {isPassword ? say('new-password.by-phrase') : say('new-password.by-password')}
      </button>
    </div>
  );
}
