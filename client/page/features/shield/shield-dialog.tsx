import { Dialog } from '../../design/overlays/dialog.tsx';
import { RelayViewPanel } from '../relay-view/relay-view-panel.tsx';
import { ShieldDetails } from './shield-details.tsx';
import { VerificationDialog } from '../verification/verification-dialog.tsx';
import { say } from '../../texts/say.ts';

/** A document names its turn; `turnId` null is the shield's own. */
export type ShieldPanel =
  | { readonly kind: 'details' }
  | { readonly kind: 'relay' }
  | { readonly kind: 'document'; readonly turnId: string | null };

type ShieldDialogProps = {
  readonly panel: ShieldPanel | null;
  readonly onPanel: (panel: ShieldPanel | null) => void;
  readonly conversationId: string | null;
};

export function ShieldDialog({ panel, onPanel, conversationId }: ShieldDialogProps) {
  const close = () => onPanel(null);
  return (
    <>
      <Dialog open={panel?.kind === 'details'} onClose={close} title={say('shield.heading')} width="wide">
        <ShieldDetails
          conversationId={conversationId}
          onRelayView={() => onPanel({ kind: 'relay' })}
          onDocument={() => onPanel({ kind: 'document', turnId: null })}
        />
      </Dialog>
      <Dialog open={panel?.kind === 'relay'} onClose={close} title={say('relay-view.heading')} width="full">
        {conversationId !== null && <RelayViewPanel conversationId={conversationId} />}
      </Dialog>
      <VerificationDialog
        open={panel?.kind === 'document'}
        onClose={close}
        turnId={panel?.kind === 'document' ? panel.turnId : null}
      />
    </>
  );
}
