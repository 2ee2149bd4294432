import { useRef, useState } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Checkbox } from '../../design/fields/checkbox.tsx';
import { CheckIcon, CopyIcon, DownloadIcon, PrintIcon } from '../../design/display/icons.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { RecoveryWords } from './recovery-words.tsx';
import { downloadPhrase } from './download-phrase.ts';
import { say } from '../../texts/say.ts';

type RecoveryPhraseStepProps = {
  readonly words: readonly string[];
  /** The account cannot be made with this name or password: back to the form. */
  readonly onRefused: (failure: VaultFailure) => void;
};

const sendsBack: ReadonlySet<string> = new Set(['name-taken', 'invalid-user-name', 'weak-password', 'sign-up-closed']);

export function RecoveryPhraseStep({ words, onRefused }: RecoveryPhraseStepProps) {
  const vault = useVault();
  const checkbox = useRef<HTMLInputElement>(null);
  const [confirmed, setConfirmed] = useState(false);
  /** Continue was pressed before the words were confirmed. */
  const [isMissing, setMissing] = useState(false);
  const [copied, setCopied] = useState<boolean | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  async function finish() {
    setMissing(!confirmed);
    if (!confirmed) return checkbox.current?.focus();
    setBusy(true);
    setFailure(null);
    const result = await vault.call((api) => api.finishSignUp());
    setBusy(false);
    if (result.ok) return;
    if (sendsBack.has(result.failure.code)) onRefused(result.failure);
    else setFailure(result.failure);
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(words.join(' '));
      setCopied(true);
    } catch {
      // Refused, or there is no clipboard for pages in this browser.
      setCopied(false);
    }
  }

  return (
    <div className="grid gap-6">
      <RecoveryWords words={words} />
      <div className="flex flex-wrap gap-2 print:hidden">
        <Button look="quiet" onClick={() => void copy()}>
          {copied === true ? <CheckIcon /> : <CopyIcon />}
          {copied === true ? say('copy.done') : say('phrase.copy')}
        </Button>
        {/* A name that changes under the focus is read by few. */}
        <output className="sr-only">{copied === true && say('copy.done')}</output>
        <Button look="quiet" onClick={() => downloadPhrase(words)}>
          <DownloadIcon />
          {say('phrase.download')}
        </Button>
        <Button look="quiet" onClick={() => window.print()}>
          <PrintIcon />
          {say('phrase.print')}
        </Button>
      </div>
      {copied === false && (
        <Notice tone="danger" urgent className="print:hidden">
          {say('phrase.copy-failed')}
        </Notice>
      )}
      <p className="text-ink-soft">{say('phrase.keep')}</p>
      <div className="print:hidden">
        <Checkbox
          ref={checkbox}
          checked={confirmed}
          onChange={(next) => {
            setConfirmed(next);
            setMissing(false);
          }}
          error={isMissing ? say('phrase.confirm-first') : undefined}
        >
          {say('phrase.confirm')}
        </Checkbox>
      </div>
      {failure !== null && (
        <Notice tone="danger" urgent>
          {failureText(failure)}
        </Notice>
      )}
      <Button look="primary" busy={busy} onClick={() => void finish()} className="print:hidden">
        {say('phrase.continue')}
      </Button>
    </div>
  );
}
