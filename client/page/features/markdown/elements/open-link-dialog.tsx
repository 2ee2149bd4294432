import { useRef } from 'react';
import { buttonClasses, Button } from '../../../design/buttons/button.tsx';
import { Dialog, DialogActions, DialogText } from '../../../design/overlays/dialog.tsx';
import { ExternalIcon } from '../../../design/display/icons.tsx';
import type { LinkSource } from './safe-link.tsx';
import { say } from '../../../texts/say.ts';

export type LinkQuestion = { readonly address: string; readonly source: LinkSource };

type OpenLinkDialogProps = { readonly question: LinkQuestion | null; readonly onClose: () => void };

/** Where a link leads, in full, before it leads there: an address can carry words of the chat. */
export function OpenLinkDialog({ question, onClose }: OpenLinkDialogProps) {
  const stay = useRef<HTMLButtonElement>(null);
  const address = question?.address ?? null;
  return (
    <Dialog open={address !== null} onClose={onClose} title={say('link.heading')} initialFocus={stay}>
      <DialogText>
        <p className="text-ink-soft">
          {question !== null && say(`link.by-${question.source}`)} {whoIsTold(address)}
        </p>
        <p
          className="mt-4 max-h-48 overflow-y-auto rounded-control bg-sunken px-4 py-3 font-mono text-small break-all"
          dir="ltr"
        >
          {address}
        </p>
      </DialogText>
      <DialogActions>
        <Button ref={stay} look="quiet" onClick={onClose}>
          {say('button.stay')}
        </Button>
        <a
          href={address ?? undefined}
          target="_blank"
          rel="noopener noreferrer"
          onClick={onClose}
          className={buttonClasses('primary')}
        >
          {say('link.open')}
          <ExternalIcon />
        </a>
      </DialogActions>
    </Dialog>
  );
}

function whoIsTold(address: string | null): string {
  if (address === null || !URL.canParse(address)) return say('link.tells-server');
  const { host } = new URL(address);
  return host === '' ? say('link.tells-receiver') : say('link.tells-host', { host });
}
