import { useEffect, useState } from 'react';
import { CheckIcon, CopyIcon } from '../../design/icons.tsx';
import { IconButton } from '../../design/icon-button.tsx';

type CopyButtonProps = { readonly label: string; readonly copy: () => Promise<void> };

export function CopyButton({ label, copy }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  async function press() {
    try {
      await copy();
      setCopied(true);
    } catch {
      // The browser refused the clipboard: the sign stays as it is, nothing claims to be copied.
    }
  }
  return (
    <IconButton label={copied ? 'Copied' : label} onClick={() => void press()}>
      {copied ? <CheckIcon className="text-accent" /> : <CopyIcon />}
    </IconButton>
  );
}
