import { expose } from 'comlink';
import { onlyCalls } from './call-gate.ts';
import { compiledPolicy } from './compiled-policy.ts';
import type { Clock } from '../relay/clock.ts';
import type { Network } from '../relay/live-frames.ts';
import { createVault } from './create-vault.ts';

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

const vault = createVault({
  fetch: (input, init) => fetch(input, init),
  origin: '',
  storage: { indexedDB, IDBKeyRange },
  locks: navigator.locks,
  openChannel: () => new BroadcastChannel('sotto-vault'),
  network,
  clock,
  random: () => Math.random(),
  policy: compiledPolicy,
  // After the answer to the call that ended it is on its way; with the Worker go all copies of the keys.
  onEnd: () => setTimeout(() => self.close(), 0),
});
const page = {
  postMessage: (message: unknown, transfer?: Transferable[]) => self.postMessage(message, { transfer: transfer ?? [] }),
  addEventListener: self.addEventListener.bind(self),
  removeEventListener: self.removeEventListener.bind(self),
};
expose(vault, onlyCalls(page, new Set(Object.keys(vault))));
