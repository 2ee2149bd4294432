import { useCallback, useState } from 'react';
import { Button } from '../../design/button.tsx';
import { Dialog } from '../../design/dialog.tsx';
import { Notice } from '../../design/notice.tsx';
import { Status } from '../../design/status.tsx';
import { failureText } from '../../texts/failure-texts.ts';
import { kindName, levelPhrase } from '../../texts/protection-texts.ts';
import type { VaultApi, VerificationView, VerifiedEnclaveView } from '../../../vault/api/vault-api.ts';
import { useVaultRead } from '../../shell/use-vault-read.ts';
import { Checklist } from './checklist.tsx';
import { downloadText } from './download-text.ts';
import { FactList, measuredFacts, momentOf } from './enclave-facts.tsx';

type VerificationDialogProps = {
  readonly open: boolean;
  readonly onClose: () => void;
  /** null: what the shield shows now. */
  readonly turnId: string | null;
};

/** What was verified before a question was sealed, step by step, and the document to check it again elsewhere. */
export function VerificationDialog({ open, onClose, turnId }: VerificationDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Verification document" width="wide">
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
  if (view === undefined) return <Status working>Opening</Status>;
  if (view === null) return <p className="text-ink-soft">No verification document is kept here.</p>;

  function save(document: VerificationView) {
    const name = `sotto-verification-${new Date(document.verifiedAtMs).toISOString().replaceAll(/[:.]/g, '-')}.json`;
    downloadText(name, 'application/json', document.text);
    setSaved(name);
  }

  return (
    <div className="grid gap-6">
      <p className="text-ink-soft">
        {turnId === null
          ? 'What your browser checked of the enclave that is there now.'
          : 'What your browser checked before it sealed this question.'}{' '}
        The document holds all evidence and keys that the checks were made from, and no word of yours. With the source
        code of this client,{' '}
        <code className="font-mono text-fine whitespace-nowrap">npm run verify -- document.json</code> makes the same
        checks again, without a network.
      </p>
      <div className="flex flex-wrap items-center gap-3">
        <Button look="primary" onClick={() => save(view)}>
          Export
        </Button>
        <output className="text-small wrap-anywhere text-ink-soft">
          {saved !== null && `Handed to your browser’s downloads as ${saved}`}
        </output>
      </div>
      {view.enclaves.map((enclave, index) => (
        // Their order is that of the recipients of one request.
        // oxlint-disable-next-line react/no-array-index-key
        <EnclavePart key={index} enclave={enclave} position={view.enclaves.length > 1 ? index + 1 : null} />
      ))}
      <FactList
        title="The question that it answers"
        facts={[
          ['Checked', momentOf(view.verifiedAtMs)],
          ['Your minimum', levelPhrase(view.minimum)],
          ['Model asked for', view.modelAsked],
          view.evidenceDigest === null ? null : ['Digest of the evidence', view.evidenceDigest, 'code'],
        ]}
      />
    </div>
  );
}

type EnclavePartProps = { readonly enclave: VerifiedEnclaveView; readonly position: number | null };

function EnclavePart({ enclave, position }: EnclavePartProps) {
  const { sentence, steps, evidenceKind, model, keyFingerprint, identityFingerprint } = enclave;
  return (
    <>
      <p className="font-serif text-lead font-medium">
        {position !== null && `Enclave ${position}: `}
        {sentence}
      </p>
      <Checklist title={position === null ? 'The checks' : `The checks of enclave ${position}`} steps={steps} />
      <FactList
        title={position === null ? 'The enclave' : `Enclave ${position}`}
        facts={[
          evidenceKind === null ? null : ['Evidence', kindName(evidenceKind)],
          model === null ? null : ['Model', model],
          ...measuredFacts(enclave),
          keyFingerprint === null ? null : ['Key that words are sealed to', keyFingerprint, 'code'],
          identityFingerprint === null ? null : ['Identity of the enclave', identityFingerprint, 'code'],
        ]}
      />
    </>
  );
}
