import { useEffect, useEffectEvent } from 'react';
import { type Action, type ActionKey, possibleActions } from './action.ts';

/** Does the actions of a list by their keys, wherever the focus is. */
export function useActionKeys<Target>(actions: readonly Action<Target>[], target: Target): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const action = possibleActions(actions, target).find(({ key }) => key !== undefined && isPressed(key, event));
    if (action === undefined) return;
    event.preventDefault();
    action.perform(target);
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKeyDown(event);
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

function isPressed(key: ActionKey, event: KeyboardEvent): boolean {
  if ('modShift' in key) {
    const mod = navigator.userAgent.includes('Mac') ? event.metaKey : event.ctrlKey;
    return mod && event.shiftKey && !event.altKey && event.code === key.modShift;
  }
  if (event.key !== 'Escape' || event.shiftKey !== (key.escape === 'with-shift')) return false;
  // A dialog and a menu take Escape first.
  return document.querySelector('[role="dialog"], [role="menu"]') === null;
}
