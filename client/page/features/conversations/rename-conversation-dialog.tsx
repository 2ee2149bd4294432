import { useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { Dialog, DialogActions } from '../../design/overlays/dialog.tsx';
import { TextField } from '../../design/fields/text-field.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import type { ConversationSummary, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { titleText } from '../../texts/of-values/conversation-texts.ts';
import { say } from '../../texts/say.ts';

type RenameConversationDialogProps = { readonly conversation: ConversationSummary; readonly onClose: () => void };

export function RenameConversationDialog({ conversation, onClose }: RenameConversationDialogProps) {
  const vault = useVault();
  const field = useRef<HTMLInputElement>(null);
  const [title, setTitle] = useState(titleText(conversation));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);

  async function save(event: FormEvent) {
    event.preventDefault();
    const trimmed = title.trim();
    if (trimmed === '') return refuse({ code: 'title-empty' });
    setBusy(true);
    const result = await vault.call((api) =>
      api.renameConversation({ conversationId: conversation.id, title: trimmed }),
    );
    setBusy(false);
    if (result.ok) onClose();
    else refuse(result.failure);
  }

  function refuse(failure: VaultFailure) {
    setError(failureText(failure, say('conversations.title-kept')));
    field.current?.focus();
  }

  return (
    <Dialog open onClose={onClose} title={say('conversations.rename-heading')} initialFocus={field}>
      <form onSubmit={(event) => void save(event)}>
        <TextField
          ref={field}
          label={say('conversations.title')}
          autoComplete="off"
          dir="auto"
          value={title}
          onChange={(event) => {
            setTitle(event.target.value);
            setError(undefined);
          }}
          onKeyDown={keepCompositionEnter}
          onFocus={(event) => event.target.select()}
          error={error}
        />
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            {say('button.cancel')}
          </Button>
          <Button type="submit" look="primary" busy={busy}>
            {say('button.rename')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** The Enter that picks a word of an input method must not save the title. */
function keepCompositionEnter(event: KeyboardEvent): void {
  if (event.key === 'Enter' && (event.nativeEvent.isComposing || event.keyCode === 229)) event.preventDefault();
}
