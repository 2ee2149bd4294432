import { useRef, useState } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Dialog, DialogActions, DialogText } from '../../design/overlays/dialog.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { navigate } from '../../state/router.ts';
import type { ConversationSummary, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { titleText } from '../../texts/of-values/conversation-texts.ts';
import { say } from '../../texts/say.ts';
import { Said } from '../../design/display/said.tsx';

type DeleteConversationDialogProps = {
  readonly conversation: ConversationSummary;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** The row that had the focus is gone. */
  readonly onDeleted: () => void;
};

export function DeleteConversationDialog({ conversation, isOpen, onClose, onDeleted }: DeleteConversationDialogProps) {
  const vault = useVault();
  const cancel = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  async function remove() {
    setBusy(true);
    const result = await vault.call((api) => api.deleteConversation({ conversationId: conversation.id }));
    setBusy(false);
    if (!result.ok) {
      setFailure(result.failure);
      return;
    }
    onClose();
    onDeleted();
    if (isOpen) navigate({ page: 'chat', conversationId: null }, { replace: true });
  }

  return (
    <Dialog open onClose={onClose} title={say('conversations.delete-heading')} initialFocus={cancel}>
      <DialogText>
        <p>
          <Said id="conversations.delete-text" title={<span dir="auto">{titleText(conversation)}</span>} />
        </p>
        <p className="mt-3 text-small text-ink-soft">{say('conversations.delete-relay')}</p>
      </DialogText>
      {failure !== null && (
        <Notice tone="danger" urgent className="mt-4">
          {failureText(failure, say('conversations.not-deleted'))}
        </Notice>
      )}
      <DialogActions>
        <Button ref={cancel} look="quiet" onClick={onClose}>
          {say('button.cancel')}
        </Button>
        <Button look="danger" busy={busy} onClick={() => void remove()}>
          {say('button.delete')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
