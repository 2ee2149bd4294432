import { expose } from 'comlink';
import { findLack } from './browser-needs.ts';
import { onlyCalls } from './call-gate.ts';
import { compiledPolicy } from './compiled-policy.ts';
import { cookieKeeper } from './cookie-keeper.ts';
import { openIndexedDbCache } from './indexeddb-cache.ts';
import { openBroadcast } from './tab-broadcast.ts';
import type { Clock } from '../vault/surroundings/clock.ts';
import type { Network } from '../vault/surroundings/network.ts';
import { createVaultFace } from '../vault/create-vault.ts';
import type { VaultFace, VaultFailure } from '../vault/api/vault-api.ts';
import { toVaultFailure } from '../vault/failures/vault-error.ts';

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

const network: Network = {
  isOnline: () => navigator.onLine,
  onChange: (run) => {
    addEventListener('online', run);
    addEventListener('offline', run);
    return () => {
      removeEventListener('online', run);
      removeEventListener('offline', run);
    };
  },
};

/** Where it cannot be, its start says why: an error of this script would reach the page without its cause. */
function openVault(): Pick<VaultFace, 'start'> {
  const lack = findLack(self);
  if (lack !== null) return refuseWith({ code: lack });
  try {
    return createVaultFace({
      fetch: (input, init) => fetch(input, init),
      origin: '',
      cache: openIndexedDbCache({ indexedDB, IDBKeyRange }),
      keeper: cookieKeeper(navigator.locks),
      locks: navigator.locks,
      openChannel: () => openBroadcast('sotto-vault'),
      network,
      clock,
      random: () => Math.random(),
      policy: compiledPolicy,
      // After the answer to the call that ended it is on its way; with the Worker go all copies of the keys.
      onEnd: () => setTimeout(() => self.close(), 0),
    });
  } catch (error) {
    return refuseWith(toVaultFailure(error));
  }
}

function refuseWith(failure: VaultFailure): Pick<VaultFace, 'start'> {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an Error would lose its code on the way to the page.
  return { start: () => Promise.reject(failure) };
}

const vault = openVault();
const page = {
  postMessage: (message: unknown, transfer?: Transferable[]) => self.postMessage(message, { transfer: transfer ?? [] }),
  addEventListener: self.addEventListener.bind(self),
  removeEventListener: self.removeEventListener.bind(self),
};
expose(vault, onlyCalls(page, new Set(Object.keys(vault)), new Set(['start'])));
