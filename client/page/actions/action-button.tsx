import type { Ref } from 'react';
import { IconButton } from '../design/buttons/icon-button.tsx';
import type { Action } from './action.ts';

type ActionButtonProps<Target> = {
  readonly action: Action<Target>;
  readonly target: Target;
  readonly ref?: Ref<HTMLButtonElement>;
};

/** An action as a button that shows its icon alone. */
export function ActionButton<Target>({ action, target, ...rest }: ActionButtonProps<Target>) {
  const { label, icon: Icon, perform } = action;
  return (
    <IconButton {...rest} label={label()} onClick={() => perform(target)}>
      {Icon !== undefined && <Icon />}
    </IconButton>
  );
}
