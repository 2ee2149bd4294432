import { type OpenVault, StartFailure } from '../../vault/api/open-vault.ts';
import type { FailureCode, VaultApi } from '../../vault/api/vault-api.ts';
import { toVaultFailure, type VaultResult } from './vault-result.ts';
import type { AppStore } from './store.ts';
import { endsAccount, vaultBroken, vaultEventReceived, vaultStarting } from './slices/vault-events.ts';

export type VaultLink = {
  /** Loads the Worker if nothing has yet. */
  start(): void;
  /** Calls the vault, starting it first; never rejects. */
  call<T>(action: (vault: VaultApi) => Promise<T>): Promise<VaultResult<T>>;
};

/** The page's one connection to its vault Worker: calls go out, events come in and end in the store. */
export function createVaultLink(store: AppStore, openVault: OpenVault): VaultLink {
  let vault: VaultApi | null = null;
  let brokenBy: FailureCode | null = null;
  /** Each of these ends a call that waits: a broken vault answers none. */
  const waiting = new Set<(reason: StartFailure) => void>();

  function breakDown(code: FailureCode): void {
    brokenBy ??= code;
    store.dispatch(vaultBroken(brokenBy));
    for (const giveUp of waiting) giveUp(new StartFailure(brokenBy));
  }

  function start(): VaultApi {
    if (brokenBy !== null) throw new StartFailure(brokenBy);
    if (vault !== null) return vault;
    store.dispatch(vaultStarting());
    let spoken = false;
    const onBroken = (code: FailureCode) => {
      // Once it has spoken it lives: a later error inside it is an error of one call.
      if (!spoken) breakDown(code);
    };
    let opened: VaultApi;
    try {
      opened = openVault(onBroken);
    } catch (reason) {
      onBroken(toVaultFailure(reason).code);
      throw reason;
    }
    vault = opened;
    opened
      .start((event) => {
        if (vault !== opened) return;
        // A start that is held up may still fail.
        spoken ||= event.type !== 'held-up';
        const wasUnlocked = store.getState().session.status === 'unlocked';
        store.dispatch(vaultEventReceived(event));
        if (wasUnlocked && endsAccount(event)) replace();
      })
      .catch((reason: unknown) => onBroken(toVaultFailure(reason).code));
    return opened;
  }

  /** A vault that was unlocked ends itself with its keys; the next page needs another. */
  function replace(): void {
    vault = null;
    tryStart();
  }

  function tryStart(): void {
    try {
      start();
    } catch {
      // The store says why.
    }
  }

  async function unlessBroken<T>(answer: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    waiting.add(reject);
    try {
      return await Promise.race([answer, promise]);
    } finally {
      waiting.delete(reject);
    }
  }

  return {
    start: tryStart,
    call: async (action) => {
      try {
        return { ok: true, value: await unlessBroken(action(start())) };
      } catch (reason) {
        return { ok: false, failure: toVaultFailure(reason) };
      }
    },
  };
}
