import type { VaultApi } from '../vault/vault-api.ts';
import { toVaultFailure, type VaultResult } from './failure.ts';
import type { AppStore } from './store.ts';
import { endsAccount, vaultBroken, vaultEventReceived, vaultStarting } from './vault-events.ts';

/** Brings up the vault. `onBroken` may be called at any time: it will not answer any more. */
export type OpenVault = (onBroken: () => void) => VaultApi;

export type VaultLink = {
  /** Loads the Worker if nothing has yet. */
  start(): void;
  /** Calls the vault, starting it first; never rejects. */
  call<T>(action: (vault: VaultApi) => Promise<T>): Promise<VaultResult<T>>;
};

/** The page's one connection to its vault Worker: calls go out, events come in and end in the store. */
export function createVaultLink(store: AppStore, openVault: OpenVault): VaultLink {
  let vault: VaultApi | null = null;

  function start(): VaultApi {
    if (vault !== null) return vault;
    store.dispatch(vaultStarting());
    let spoken = false;
    const onBroken = () => {
      // Once it has spoken it lives: a later error inside it is an error of one call.
      if (!spoken) store.dispatch(vaultBroken());
    };
    const opened = openVault(onBroken);
    vault = opened;
    opened
      .start((event) => {
        if (vault !== opened) return;
        spoken = true;
        const wasUnlocked = store.getState().session.status === 'unlocked';
        store.dispatch(vaultEventReceived(event));
        if (wasUnlocked && endsAccount(event)) replace();
      })
      .catch(onBroken);
    return opened;
  }

  /** A vault that was unlocked ends itself with its keys; the next page needs another. */
  function replace(): void {
    vault = null;
    start();
  }

  return {
    start: () => {
      start();
    },
    call: async (action) => {
      try {
        return { ok: true, value: await action(start()) };
      } catch (reason) {
        return { ok: false, failure: toVaultFailure(reason) };
      }
    },
  };
}
