import { useEffect, useState } from 'react';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { AccountPageFrame } from '../../shell/frames/account-page-frame.tsx';
import { useVault } from '../../shell/context/app-context.tsx';
import { Link } from '../../shell/routes/link.tsx';
import { CredentialsForm } from './credentials-form.tsx';
import { RecoveryPhraseStep } from './recovery-phrase-step.tsx';
import { say } from '../../texts/say.ts';
import { Said } from '../../design/display/said.tsx';

/** Two steps: name and password, then the phrase. The account exists only after the second. */
export function SignUpPage() {
  const vault = useVault();
  const [words, setWords] = useState<readonly string[] | null>(null);
  const [userName, setUserName] = useState('');
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => {
    if (words === null) return;
    // Left in the middle: the phrase and keys that were drawn are forgotten. After the end there is nothing to cancel.
    return () => void vault.call((api) => api.cancelSignUp());
  }, [vault, words]);

  if (words !== null) {
    return (
      <AccountPageFrame heading={say('phrase.heading')} wide headingTakesFocus lead={say('phrase.lead')}>
        <RecoveryPhraseStep
          words={words}
          onRefused={(refusal) => {
            setFailure(refusal);
            setWords(null);
          }}
        />
      </AccountPageFrame>
    );
  }
  return (
    <AccountPageFrame
      heading={say('sign-up.heading')}
      lead={say('sign-up.lead')}
      below={
        <Said
          id="sign-up.have-one"
          link={(words) => (
            <Link to={{ page: 'sign-in' }} className="text-link">
              {words}
            </Link>
          )}
        />
      }
    >
      <CredentialsForm
        userName={userName}
        onUserName={setUserName}
        refusal={failure}
        onPrepared={(recoveryWords) => {
          setFailure(null);
          setWords(recoveryWords);
        }}
      />
    </AccountPageFrame>
  );
}
