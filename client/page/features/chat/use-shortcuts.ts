import { useEffect, useEffectEvent } from 'react';

export type Shortcuts = {
  readonly newChat: () => void;
  readonly focusMessageBox: () => void;
  readonly toggleSidebar: () => void;
  /** Escape outside of the message box and of dialogs, which take it first. */
  readonly stop: () => void;
};

/** Mod+Shift+O new chat, Mod+Shift+S sidebar, Shift+Esc message box, Esc stop. Mod is Command on a Mac, else Control. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const action = actionOf(event, shortcuts);
    if (action === null) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKeyDown(event);
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

function actionOf(event: KeyboardEvent, shortcuts: Shortcuts): (() => void) | null {
  if (event.defaultPrevented || event.isComposing) return null;
  const isMac = navigator.userAgent.includes('Mac');
  const mod = isMac ? event.metaKey : event.ctrlKey;
  if (mod && event.shiftKey && !event.altKey) {
    if (event.code === 'KeyO') return shortcuts.newChat;
    if (event.code === 'KeyS') return shortcuts.toggleSidebar;
  }
  if (event.key !== 'Escape' || document.querySelector('[role="dialog"], [role="menu"]') !== null) return null;
  return event.shiftKey ? shortcuts.focusMessageBox : shortcuts.stop;
}
