/** One holder of a name at a time on this device, in whatever tab or thread. */
export type TabLocks = {
  request<T>(
    name: string,
    options: { readonly mode: 'exclusive'; readonly signal?: AbortSignal },
    run: () => Promise<T>,
  ): Promise<T>;
};

/** Only one tab of a browser profile at a time does this: it reads, changes and writes the vault. */
export function underVaultLock<T>(locks: TabLocks, run: () => Promise<T>): Promise<T> {
  return locks.request('sotto-vault', { mode: 'exclusive' }, run);
}
