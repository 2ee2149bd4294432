import { Dialog as BaseDialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';
import { useHiddenLogs } from './dialog.tsx';

type DrawerProps = {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly label: string;
  readonly children: ReactNode;
};

/** The sidebar of a narrow screen. */
export function Drawer({ open, onClose, label, children }: DrawerProps) {
  useHiddenLogs(open);
  return (
    <BaseDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="backdrop-motion fixed inset-0 bg-shade" />
        <BaseDialog.Popup
          aria-label={label}
          aria-modal
          className="drawer-motion fixed inset-y-0 left-0 w-[min(20rem,86vw)] border-r border-line bg-sunken shadow-high"
        >
          {children}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}
