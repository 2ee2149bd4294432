import { MenuItem } from '../design/overlays/menu.tsx';
import { type Action, possibleActions } from './action.ts';

type ActionItemsProps<Target> = { readonly actions: readonly Action<Target>[]; readonly target: Target };

/** The actions of a list as items of a menu. */
export function ActionItems<Target>({ actions, target }: ActionItemsProps<Target>) {
  return possibleActions(actions, target).map(({ name, label, icon: Icon, tone, perform }) => (
    <MenuItem
      key={name}
      icon={Icon === undefined ? undefined : <Icon />}
      tone={tone ?? 'plain'}
      onSelect={() => perform(target)}
    >
      {label()}
    </MenuItem>
  ));
}
