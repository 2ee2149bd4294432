import type { Action } from '../../actions/action.ts';
import { KeyIcon, LockIcon, SignOutIcon } from '../../design/display/icons.tsx';
import { navigate } from '../../state/router.ts';
import { say } from '../../texts/say.ts';

/** Actions on the open account. */
export type AccountControls = {
  readonly lock: () => void;
  /** Asks first where something would be lost. */
  readonly signOut: () => void;
};

/** In the order of the account's menu: a new action is one more entry. */
export const accountActions: readonly Action<AccountControls>[] = [
  {
    name: 'change-password',
    label: () => say('account-menu.change-password'),
    icon: KeyIcon,
    perform: () => navigate({ page: 'new-password' }),
  },
  { name: 'lock', label: () => say('account-menu.lock'), icon: LockIcon, perform: ({ lock }) => lock() },
  { name: 'sign-out', label: () => say('account.sign-out'), icon: SignOutIcon, perform: ({ signOut }) => signOut() },
];
