import { useCallback, useState } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Dialog } from '../../design/overlays/dialog.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { Status } from '../../design/display/status.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { claimText, kindName, levelPhrase } from '../../texts/of-values/protection-texts.ts';
import type { VaultApi, VerificationView, VerifiedEnclaveView } from '../../../vault/api/vault-api.ts';
import { useVaultRead } from '../../shell/context/use-vault-read.ts';
import { Checklist } from './checklist.tsx';
import { downloadText } from '../../shell/browser/download-text.ts';
import { FactList, measuredFacts } from './enclave-facts.tsx';
import { writeTime } from '../../texts/of-values/time-texts.ts';
import { say } from '../../texts/say.ts';
import { Said } from '../../design/display/said.tsx';

type VerificationDialogProps = {
  readonly open: boolean;
  readonly onClose: () => void;
  /** null: what the shield shows now. */
  readonly turnId: string | null;
};

/** Shows what was verified before a question was sealed, step by step, and the document to check it again elsewhere. */
export function VerificationDialog({ open, onClose, turnId }: VerificationDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={say('document.heading')} width="wide">
      {open && <VerificationContents turnId={turnId} />}
    </Dialog>
  );
}

function VerificationContents({ turnId }: { readonly turnId: string | null }) {
  const read = useCallback((api: VaultApi) => api.readVerification({ turnId }), [turnId]);
  const { value: view, failure } = useVaultRead(read);
  const [saved, setSaved] = useState<string | null>(null);

  if (failure !== null) {
    return (
      <Notice tone="danger" urgent>
        {failureText(failure)}
      </Notice>
    );
  }
  if (view === undefined) return <Status working>{say('document.opening')}</Status>;
  if (view === null) return <p className="text-ink-soft">{say('document.none')}</p>;

  function save(document: VerificationView) {
    const name = `sotto-verification-${new Date(document.verifiedAtMs).toISOString().replaceAll(/[:.]/g, '-')}.json`;
    downloadText(name, 'application/json', document.text);
    setSaved(name);
  }

  return (
    <div className="grid gap-6">
      <p className="text-ink-soft">
        {turnId === null ? say('document.of-now') : say('document.of-question')}{' '}
        <Said
          id="document.contents"
          code={(words) => <code className="font-mono text-fine whitespace-nowrap">{words}</code>}
        />
      </p>
      <div className="flex flex-wrap items-center gap-3">
        <Button look="primary" onClick={() => save(view)}>
          {say('document.export')}
        </Button>
        <output className="text-small wrap-anywhere text-ink-soft">
          {saved !== null && say('document.saved', { name: saved })}
        </output>
      </div>
      {view.enclaves.map((enclave, index) => (
        // Their order is that of the recipients of one request.
        // oxlint-disable-next-line react/no-array-index-key
        <EnclavePart key={index} enclave={enclave} position={view.enclaves.length > 1 ? index + 1 : null} />
      ))}
      <FactList
        title={say('document.question')}
        facts={[
          [say('fact.checked'), writeTime(view.verifiedAtMs, 'moment')],
          [say('fact.minimum'), levelPhrase(view.minimum)],
          [say('fact.model-asked'), view.modelAsked === 'default' ? say('fact.model-default') : view.modelAsked],
          view.evidenceDigest === null ? null : [say('fact.digest'), view.evidenceDigest, 'code'],
        ]}
      />
    </div>
  );
}

type EnclavePartProps = { readonly enclave: VerifiedEnclaveView; readonly position: number | null };

function EnclavePart({ enclave, position }: EnclavePartProps) {
  const { claim, steps, model, keyFingerprint, identityFingerprint } = enclave;
  const sentence = claim === null ? say('claim.refused') : claimText(claim);
  return (
    <>
      <p className="font-serif text-lead font-medium">
        {position === null ? sentence : say('document.sentence-of', { position, sentence })}
      </p>
      <Checklist
        title={position === null ? say('document.checks') : say('document.checks-of', { position })}
        steps={steps}
      />
      <FactList
        title={position === null ? say('document.enclave') : say('document.enclave-of', { position })}
        facts={[
          claim === null ? null : [say('fact.evidence'), kindName(claim.kind)],
          model === null ? null : [say('fact.model'), model],
          ...measuredFacts(enclave),
          keyFingerprint === null ? null : [say('fact.key-of-document'), keyFingerprint, 'code'],
          identityFingerprint === null ? null : [say('fact.identity'), identityFingerprint, 'code'],
        ]}
      />
    </>
  );
}
