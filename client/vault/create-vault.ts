import { withCommands } from './api/open-vault.ts';
import type { VaultApi, VaultFace } from './api/vault-api.ts';
import { toVaultFailure } from './failures/vault-error.ts';
import type { VaultDependencies } from './vault-dependencies.ts';
import { Vault } from './vault.ts';

/** The vault's face. Every call rejects with a plain `VaultFailure`: an Error would lose its code between threads. */
export function createVaultFace(dependencies: VaultDependencies): VaultFace {
  const vault = new Vault(dependencies);
  const session = <T>(work: () => T | Promise<T>) => {
    // Also for the scripts that it needs, which the browser fetches by itself.
    const over = vault.connection.watch.begin();
    return refuseWithFailure(vault.serially(async () => work())).finally(() => over(null));
  };
  const open = <T>(work: () => T | Promise<T>) => refuseWithFailure((async () => work())());
  return {
    start: (onEvent) => session(() => vault.start(onEvent)),
    noteNetwork: (input) => open(() => vault.connection.note(input)),
    beginSignUp: (input) => session(() => vault.beginSignUp(input)),
    finishSignUp: () => session(() => vault.finishSignUp()),
    cancelSignUp: () => session(() => vault.cancelSignUp()),
    signIn: (given) => session(() => vault.signIn(given)),
    unlock: (given) => session(() => vault.unlock(given)),
    changePassword: (input) => session(() => vault.changePassword(input.newPassword, input.proof)),
    lock: () => session(() => vault.lock()),
    signOut: () => session(() => vault.signOut()),
    run: (call) => open(() => vault.opened.run(call.command, call.input)),
  };
}

function refuseWithFailure<T>(work: Promise<T>): Promise<T> {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an Error would lose its code on the way to the page.
  return work.catch((error: unknown) => Promise.reject(toVaultFailure(error)));
}

/** Works as `createVaultFace`, for a caller on the same thread. */
export function createVault(dependencies: VaultDependencies): VaultApi {
  return withCommands(createVaultFace(dependencies));
}
