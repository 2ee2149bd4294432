import { proxy, wrap } from 'comlink';
import { findLack } from './browser-needs.ts';
import type { VaultFace } from '../vault/api/vault-api.ts';
// Vite gives the address of the built Worker; the file itself exports nothing.
// oxlint-disable-next-line import/default -- Vite makes the default export.
import workerUrl from './vault-worker.ts?worker&url';
import { type OpenVault, StartFailure, withCommands } from '../vault/api/open-vault.ts';

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

/** @throws {StartFailure} where the browser has none, or refuses it. */
function startWorker(url: string): Worker {
  try {
    return new Worker(url, { type: 'module', name: 'vault' });
  } catch {
    throw new StartFailure('workers-off');
  }
}

let policy: ScriptPolicy | null = null;

export const openVaultWorker: OpenVault = (onBroken) => {
  // Before any script of the Worker: some of its libraries fail as they are loaded where this is missing.
  const lack = findLack(window);
  if (lack !== null) throw new StartFailure(lack);
  // A second policy of the same name would be refused.
  policy ??= createWorkerPolicy();
  const worker = startWorker(policy.createScriptURL(workerUrl));
  // An error of a script has words; one that never came, or was not let through, has none.
  worker.addEventListener('error', (event) =>
    onBroken(event instanceof ErrorEvent && event.message !== '' ? 'worker-failed' : 'part-missing'),
  );
  worker.addEventListener('messageerror', () => onBroken('worker-failed'));
  const remote = wrap<VaultFace>(worker) as unknown as VaultFace;
  const face = new Proxy(remote, {
    get: (target, name) =>
      name === 'start'
        ? (onEvent: Parameters<VaultFace['start']>[0]) => target.start(proxy(onEvent))
        : (Reflect.get(target, name) as unknown),
  });
  return withCommands(face);
};
