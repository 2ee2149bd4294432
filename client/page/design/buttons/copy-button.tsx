import { useEffect, useState } from 'react';
import { AlertIcon, CheckIcon, CopyIcon } from '../display/icons.tsx';
import { IconButton } from './icon-button.tsx';
import { say } from '../../texts/say.ts';

type CopyButtonProps = { readonly label: string; readonly copy: () => Promise<void> };

export function CopyButton({ label, copy }: CopyButtonProps) {
  const [copied, setCopied] = useState<boolean | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  async function press() {
    try {
      await copy();
      setCopied(true);
    } catch {
      // The browser refused the clipboard, or has none for pages.
      setCopied(false);
    }
  }
  const outcome = copied === null ? null : copied ? say('copy.done') : say('copy.failed');
  return (
    <>
      <IconButton label={outcome ?? label} onClick={() => void press()}>
        {copied === null && <CopyIcon />}
        {copied === true && <CheckIcon className="text-accent" />}
        {copied === false && <AlertIcon className="text-danger" />}
      </IconButton>
      <output className="sr-only" data-announcer="copy">
        {outcome}
      </output>
    </>
  );
}
