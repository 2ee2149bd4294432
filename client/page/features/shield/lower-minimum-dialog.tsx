import { useRef, useState } from 'react';
import { Button } from '../../design/button.tsx';
import { Dialog, DialogActions, DialogText } from '../../design/dialog.tsx';
import { Notice } from '../../design/notice.tsx';
import { failureText } from '../../texts/failure-texts.ts';
import { levelPhrase } from '../../texts/protection-texts.ts';
import type { RefusedEnclave, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVaultView, useVault } from '../../shell/app-context.tsx';

type LowerMinimumDialogProps = {
  readonly conversationId: string | null;
  readonly offered: NonNullable<RefusedEnclave['offered']>;
  readonly onClose: () => void;
};

/** Lowering is never a side effect: it is said what it means, and the conversation remembers it. */
export function LowerMinimumDialog({ conversationId, offered, onClose }: LowerMinimumDialogProps) {
  const vault = useVault();
  const effective = useVaultView('minimum')?.effective ?? 'any';
  const keep = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  async function lower() {
    setBusy(true);
    const result = await vault.call((api) => api.setConversationMinimum({ conversationId, level: offered.level }));
    setBusy(false);
    if (result.ok) onClose();
    else setFailure(result.failure);
  }

  return (
    <Dialog open onClose={onClose} title="Lower the minimum for this conversation?" initialFocus={keep}>
      <DialogText>
        <p>You ask for {levelPhrase(effective)}. Of the enclave that is there now, this is known:</p>
        <p className="mt-3 rounded-control bg-caution-soft px-4 py-3 font-semibold text-caution">{offered.sentence}</p>
        <p className="mt-3 text-ink-soft">
          Everything that you send in this conversation from now on, with all that was said before in it, can go to such
          an enclave. Other conversations keep your minimum. The conversation notes when you did this.
        </p>
      </DialogText>
      {failure !== null && (
        <Notice tone="danger" urgent className="mt-4">
          {failureText(failure)}
        </Notice>
      )}
      <DialogActions>
        <Button ref={keep} look="quiet" onClick={onClose}>
          Keep my minimum
        </Button>
        <Button look="danger" busy={busy} onClick={() => void lower()}>
          Lower it here
        </Button>
      </DialogActions>
    </Dialog>
  );
}
