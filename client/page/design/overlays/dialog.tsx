import { Dialog as BaseDialog } from '@base-ui/react/dialog';
import { type FocusEvent, type ReactNode, type RefObject, useEffect, useRef } from 'react';
import { classNames } from '../styles/class-names.ts';
import { iconButtonClasses } from '../buttons/icon-button.tsx';
import { CloseIcon } from '../display/icons.tsx';
import { say } from '../../texts/say.ts';

type DialogWidth = 'narrow' | 'wide' | 'full';

const widths: Record<DialogWidth, string> = {
  narrow: 'w-[min(30rem,calc(100vw-2rem))] max-h-[calc(100dvh-2rem)] rounded-card',
  wide: 'w-[min(40rem,calc(100vw-2rem))] max-h-[calc(100dvh-2rem)] rounded-card',
  full: 'w-screen h-dvh sm:w-[min(82rem,calc(100vw-3rem))] sm:h-[calc(100dvh-3rem)] sm:rounded-card',
};

export type DialogProps = {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly width?: DialogWidth;
  readonly initialFocus?: RefObject<HTMLElement | null>;
  readonly children: ReactNode;
};

/**
 * Base UI hides from a screen reader all that is behind a dialog but what has `aria-live`, so that announcements are heard. A
 * region that is off announces nothing, and is hidden too.
 */
export function useHiddenLogs(open: boolean): void {
  useEffect(() => {
    if (!open) return;
    const logs = [...document.querySelectorAll('[aria-live="off"]:not([aria-hidden])')];
    for (const log of logs) log.setAttribute('aria-hidden', 'true');
    return () => {
      for (const log of logs) log.removeAttribute('aria-hidden');
    };
  }, [open]);
}

/**
 * The button that has the focus first stands below the question. With little room the browser would scroll to it: the question
 * stays in sight until a person does something.
 */
function useFirstWords(
  open: boolean,
  body: RefObject<HTMLElement | null>,
  first: RefObject<HTMLElement | null> | undefined,
) {
  const isTouched = useRef(false);
  useEffect(() => {
    isTouched.current = false;
  }, [open]);
  const touch = () => {
    isTouched.current = true;
  };
  const stay = ({ target }: FocusEvent) => {
    if (target !== first?.current) return;
    // The browser scrolls after this event.
    requestAnimationFrame(() => !isTouched.current && body.current?.scrollTo(0, 0));
  };
  return { onKeyDownCapture: touch, onPointerDownCapture: touch, onFocus: stay };
}

/** Modal: focus goes in, stays, and comes back; Escape and a click beside it close. */
export function Dialog({ open, onClose, title, width = 'narrow', initialFocus, children }: DialogProps) {
  useHiddenLogs(open);
  const body = useRef<HTMLDivElement>(null);
  const firstWords = useFirstWords(open, body, initialFocus);
  return (
    <BaseDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="backdrop-motion fixed inset-0 bg-shade" />
        <BaseDialog.Viewport className="fixed inset-0 grid place-items-center overflow-clip">
          <BaseDialog.Popup
            initialFocus={initialFocus}
            {...firstWords}
            aria-modal
            className={classNames(
              'popup-motion flex flex-col border border-line bg-surface shadow-high',
              widths[width],
            )}
          >
            <header className="flex items-start justify-between gap-4 px-6 pt-5 pb-2">
              <BaseDialog.Title className="min-w-0 pt-1 font-serif text-[min(var(--text-title),7vw)] leading-[1.3] font-medium wrap-anywhere">
                {title}
              </BaseDialog.Title>
              <BaseDialog.Close
                aria-label={say('button.close')}
                title={say('button.close')}
                className={classNames(iconButtonClasses, '-mr-2')}
              >
                <CloseIcon />
              </BaseDialog.Close>
            </header>
            <div ref={body} className="min-h-0 flex-1 overflow-y-auto px-6 pt-1 pb-6">
              {children}
            </div>
          </BaseDialog.Popup>
        </BaseDialog.Viewport>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

/** The words of a question: they are read when it opens, before the control that has the focus. */
export function DialogText({ children }: { readonly children: ReactNode }) {
  return <BaseDialog.Description render={<div />}>{children}</BaseDialog.Description>;
}

/** The row of buttons at the end of a dialog. */
export function DialogActions({ children }: { readonly children: ReactNode }) {
  return <div className="mt-6 flex flex-wrap justify-end gap-3">{children}</div>;
}
