/** One holder of a name at a time among all tabs of a browser profile. */
export type TabLocks = Pick<LockManager, 'request'>;

/** What only one tab of a browser profile does at a time: read, change and write the vault. */
export function underVaultLock<T>(locks: TabLocks, run: () => Promise<T>): Promise<T> {
  return locks.request('sotto-vault', { mode: 'exclusive' }, run) as Promise<T>;
}
