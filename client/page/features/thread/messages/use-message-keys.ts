import { useEffect, useState, type FocusEvent, type KeyboardEvent, type RefObject } from 'react';

/** The message that the focus is in, and Alt with the arrows to step from one to the next. */
export function useMessageKeys(container: RefObject<HTMLElement | null>, order: readonly string[]) {
  const [focused, setFocused] = useState<string | null>(null);

  useEffect(() => {
    if (focused === null) return;
    const message = container.current?.querySelector<HTMLElement>(`[data-message="${CSS.escape(focused)}"]`);
    // A step may lead to a row that was not rendered before.
    if (message !== null && message?.contains(document.activeElement) === false) message.focus();
  }, [container, focused]);

  function onFocus(event: FocusEvent<HTMLElement>): void {
    const message = event.target.closest<HTMLElement>('[data-message]');
    setFocused(message?.dataset['message'] ?? null);
  }

  function onBlur(event: FocusEvent<HTMLElement>): void {
    if (!event.currentTarget.contains(event.relatedTarget)) setFocused(null);
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    const from = focused === null ? -1 : order.indexOf(focused);
    const nextId = order[from + (event.key === 'ArrowUp' ? -1 : 1)];
    if (from < 0 || nextId === undefined) return;
    event.preventDefault();
    setFocused(nextId);
  }

  return { focused, onFocus, onBlur, onKeyDown };
}
