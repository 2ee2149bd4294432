import { useState } from 'react';
import { Button } from '../../design/buttons/button.tsx';
import { RetryIcon } from '../../design/display/icons.tsx';
import type { RefusedEnclave } from '../../../vault/api/vault-api.ts';
import { useVault } from '../../shell/context/app-context.tsx';
import { LowerMinimumDialog } from '../minimum/lower-minimum-dialog.tsx';
import { say } from '../../texts/say.ts';

type RefusedActionsProps = {
  readonly conversationId: string | null;
  readonly view: RefusedEnclave;
  /** Absent where the checks are on the screen already. */
  readonly onShowChecks?: () => void;
};

/** Offers what one can do when an enclave is refused. */
export function RefusedActions({ conversationId, view, onShowChecks }: RefusedActionsProps) {
  const vault = useVault();
  const [lowering, setLowering] = useState<RefusedEnclave['withoutMinimum']>(null);
  return (
    <div className="flex flex-wrap gap-2">
      <Button onClick={() => void vault.call((api) => api.openConversation({ conversationId }))}>
        <RetryIcon />
        {say('button.ask-again')}
      </Button>
      {onShowChecks !== undefined && <Button onClick={onShowChecks}>{say('refused.see-checks')}</Button>}
      {view.withoutMinimum !== null && (
        <Button onClick={() => setLowering(view.withoutMinimum)}>{say('refused.lower')}</Button>
      )}
      {lowering !== null && (
        <LowerMinimumDialog
          conversationId={conversationId}
          withoutMinimum={lowering}
          onClose={() => setLowering(null)}
        />
      )}
    </div>
  );
}
