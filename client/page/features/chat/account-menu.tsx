import { useRef, useState } from 'react';
import { ActionItems } from '../../actions/action-items.tsx';
import { Button } from '../../design/buttons/button.tsx';
import { Dialog, DialogActions, DialogText } from '../../design/overlays/dialog.tsx';
import { AccountIcon } from '../../design/display/icons.tsx';
import { settingRows } from '../settings/setting-rows.ts';
import { Menu, MenuLine, MenuNote } from '../../design/overlays/menu.tsx';
import { clientBuild, clientVersion } from '../../state/build-name.ts';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { selectHasUnstored } from '../../state/selectors.ts';
import { signOutAsked } from '../../state/slices/session-slice.ts';
import type { VaultFailure } from '../../../vault/api/vault-api.ts';
import { useAppDispatch, useAppSelector, useVault } from '../../shell/context/app-context.tsx';
import { say } from '../../texts/say.ts';
import { accountActions } from './account-actions.ts';

export function AccountMenu() {
  const vault = useVault();
  const dispatch = useAppDispatch();
  const hasUnstored = useAppSelector(selectHasUnstored);
  const stay = useRef<HTMLButtonElement>(null);
  const [asking, setAsking] = useState(false);
  /** The setting whose dialog is open: a dialog inside the menu would go with it. */
  const [openRow, setOpenRow] = useState<string | null>(null);
  const RowDialog = settingRows.find(({ name }) => name === openRow)?.Dialog;
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  async function lock() {
    const result = await vault.call((api) => api.lock());
    if (!result.ok) setFailure(result.failure);
  }
  async function signOut() {
    setAsking(false);
    dispatch(signOutAsked());
    const result = await vault.call((api) => api.signOut());
    if (!result.ok) setFailure(result.failure);
  }

  return (
    <>
      <Menu
        side="top"
        align="start"
        trigger={
          <button
            type="button"
            className="flex min-h-11 w-full items-center gap-3 rounded-control px-3 text-left text-ink-soft transition-colors hover:bg-paper hover:text-ink data-popup-open:bg-paper"
          >
            <AccountIcon />
            {say('account-menu.name')}
          </button>
        }
      >
        {settingRows.map(({ name, Row }) => (
          <Row key={name} openDialog={() => setOpenRow(name)} />
        ))}
        <ActionItems
          actions={accountActions}
          target={{
            lock: () => void lock(),
            signOut: () => (hasUnstored ? setAsking(true) : void signOut()),
          }}
        />
        <MenuLine />
        <MenuNote>{say('account-menu.build', { version: clientVersion, build: clientBuild })}</MenuNote>
      </Menu>
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={say('account-menu.lose-heading')}
        initialFocus={stay}
      >
        <DialogText>
          <p>{say('account-menu.lose-text')}</p>
        </DialogText>
        <DialogActions>
          <Button ref={stay} look="quiet" onClick={() => setAsking(false)}>
            {say('button.stay')}
          </Button>
          <Button look="danger" onClick={() => void signOut()}>
            {say('account.sign-out')}
          </Button>
        </DialogActions>
      </Dialog>
      {RowDialog !== undefined && <RowDialog onClose={() => setOpenRow(null)} />}
      <Dialog open={failure !== null} onClose={() => setFailure(null)} title={say('account-menu.failed')}>
        <DialogText>{failure !== null && failureText(failure)}</DialogText>
      </Dialog>
    </>
  );
}
