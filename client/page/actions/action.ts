import type { ComponentType } from 'react';

/** A place on the keyboard with Command on a Mac, else Control, and Shift; or Escape, also with Shift. */
export type ActionKey = { readonly modShift: `Key${string}` } | { readonly escape: 'alone' | 'with-shift' };

/**
 * Something that a person can do, named once for keys and menus.
 *
 * `Target` is what it is done to: the open chat, the account, one conversation.
 */
export type Action<Target> = {
  readonly name: string;
  readonly label: () => string;
  /** Absent for an action that stands in no menu. */
  readonly icon?: ComponentType;
  readonly tone?: 'danger';
  readonly key?: ActionKey;
  /** Absent where it can always be done. */
  readonly when?: (target: Target) => boolean;
  readonly perform: (target: Target) => void;
};

/** Lists what can be done to this target now, in the order of the list. */
export function possibleActions<Target, Each extends Action<Target>>(actions: readonly Each[], target: Target): Each[] {
  return actions.filter(({ when }) => when?.(target) ?? true);
}
