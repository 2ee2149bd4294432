import type { FailureCode } from '../vault/api/vault-api.ts';

/**
 * The vault takes these from a browser, in the page and in its Worker. Any may be missing, or may throw when it is looked at.
 */
export type BrowserScope = {
  readonly isSecureContext: boolean;
  readonly crypto?: { readonly subtle?: object | undefined } | undefined;
  readonly WebAssembly?: Pick<typeof WebAssembly, 'Module'> | undefined;
  readonly indexedDB?: IDBFactory | null | undefined;
  readonly navigator: { readonly locks?: LockManager | undefined };
  readonly BroadcastChannel?: typeof BroadcastChannel | undefined;
};

/** The empty module: only its eight bytes of magic and version. */
const emptyModule = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/**
 * Finds the first thing without which nothing of the vault works in this browser.
 *
 * @returns its code, or null where all is there.
 */
export function findLack(scope: BrowserScope): FailureCode | null {
  // Most of the rest is missing then as well, and this is why.
  if (!scope.isSecureContext || scope.crypto?.subtle === undefined) return 'page-insecure';
  if (!works(() => scope.WebAssembly !== undefined && new scope.WebAssembly.Module(emptyModule))) {
    return 'webassembly-off';
  }
  if (!works(() => scope.indexedDB)) return 'storage-unavailable';
  if (!works(() => scope.navigator.locks)) return 'locks-missing';
  const { BroadcastChannel } = scope;
  if (BroadcastChannel === undefined) return 'channel-missing';
  // Firefox makes none where site data are blocked.
  return works(() => openAndClose(BroadcastChannel)) ? null : 'storage-unavailable';
}

function works(look: () => unknown): boolean {
  try {
    return Boolean(look());
  } catch {
    return false;
  }
}

function openAndClose(Channel: typeof BroadcastChannel): true {
  new Channel('sotto-probe').close();
  return true;
}
