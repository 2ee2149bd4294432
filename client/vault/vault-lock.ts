import type { TabLocks } from '../relay/token-refresh.ts';

/** What only one tab of a browser profile does at a time: read, change and write the vault. */
export function underVaultLock<T>(locks: TabLocks, run: () => Promise<T>): Promise<T> {
  return locks.request('sotto-vault', { mode: 'exclusive' }, run) as Promise<T>;
}
