import { useRef, useState } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Dialog, DialogActions, DialogText } from '../../design/overlays/dialog.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { claimText, levelPhrase } from '../../texts/of-values/protection-texts.ts';
import type { RefusedEnclave, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVaultView, useVault } from '../../shell/context/app-context.tsx';
import { say } from '../../texts/say.ts';

type LowerMinimumDialogProps = {
  readonly conversationId: string | null;
  readonly withoutMinimum: NonNullable<RefusedEnclave['withoutMinimum']>;
  readonly onClose: () => void;
};

/** Lowering is never a side effect: it is said what it means, and the conversation remembers it. */
export function LowerMinimumDialog({ conversationId, withoutMinimum, onClose }: LowerMinimumDialogProps) {
  const vault = useVault();
  const effective = useVaultView('minimum')?.effective ?? 'any';
  const keep = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  async function lower() {
    setBusy(true);
    const result = await vault.call((api) =>
      api.setConversationMinimum({ conversationId, level: withoutMinimum.level }),
    );
    setBusy(false);
    if (result.ok) onClose();
    else setFailure(result.failure);
  }

  return (
    <Dialog open onClose={onClose} title={say('lower.heading')} initialFocus={keep}>
      <DialogText>
        <p>{say('lower.known', { level: levelPhrase(effective) })}</p>
        <p className="mt-3 rounded-control bg-caution-soft px-4 py-3 font-semibold text-caution">
          {claimText(withoutMinimum)}
        </p>
        <p className="mt-3 text-ink-soft">{say('lower.meaning')}</p>
      </DialogText>
      {failure !== null && (
        <Notice tone="danger" urgent className="mt-4">
          {failureText(failure)}
        </Notice>
      )}
      <DialogActions>
        <Button ref={keep} look="quiet" onClick={onClose}>
          {say('lower.keep')}
        </Button>
        <Button look="danger" busy={busy} onClick={() => void lower()}>
          {say('lower.lower')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
