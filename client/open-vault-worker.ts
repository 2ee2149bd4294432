import { proxy, wrap } from 'comlink';
import type { VaultApi } from './vault/vault-api.ts';
// Vite gives the address of the built Worker; the file itself exports nothing.
// oxlint-disable-next-line import/default -- Vite makes the default export.
import workerUrl from './vault/vault-worker.ts?worker&url';
import type { OpenVault } from './state/vault-link.ts';

type ScriptPolicy = { createScriptURL(url: string): string };
type TrustedTypes = {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): ScriptPolicy;
};

/** The one policy that the page may make: it turns the Worker's own address, and no other string, into a script. */
function createWorkerPolicy(): ScriptPolicy {
  const rules = {
    createScriptURL: (url: string) => {
      if (url !== workerUrl) throw new TypeError('not the vault');
      return url;
    },
  };
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  return trustedTypes?.createPolicy('sotto-worker', rules) ?? rules;
}

let policy: ScriptPolicy | null = null;

export const openVaultWorker: OpenVault = (onBroken) => {
  // A second policy of the same name would be refused.
  policy ??= createWorkerPolicy();
  const worker = new Worker(policy.createScriptURL(workerUrl), { type: 'module', name: 'vault' });
  worker.addEventListener('error', onBroken);
  worker.addEventListener('messageerror', onBroken);
  const remote = wrap<VaultApi>(worker);
  return new Proxy(remote as unknown as VaultApi, {
    get: (target, name) =>
      name === 'start'
        ? (onEvent: Parameters<VaultApi['start']>[0]) => target.start(proxy(onEvent))
        : (Reflect.get(target, name) as unknown),
  });
};
