import { useEffect, useState } from 'react';
import type { VaultApi, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVault } from './app-context.tsx';

type VaultRead<T> = {
  /** Undefined until the first answer; an earlier one stays when a later read fails. */
  readonly value: T | undefined;
  readonly failure: VaultFailure | null;
};

/**
 * Reads from the vault for as long as the component is shown, again whenever `read` or `version` changes.
 *
 * @param read - Kept between renders by `useCallback`.
 * @param version - Changes when the vault would answer otherwise.
 */
export function useVaultRead<T>(read: (api: VaultApi) => Promise<T>, version = ''): VaultRead<T> {
  const vault = useVault();
  const [value, setValue] = useState<T | undefined>(undefined);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  useEffect(() => {
    let current = true;
    void vault.call(read).then((result) => {
      if (!current) return;
      // A setter function keeps React from calling a value that is itself a function.
      if (result.ok) setValue(() => result.value);
      setFailure(result.ok ? null : result.failure);
    });
    return () => {
      current = false;
    };
  }, [read, vault, version]);

  return { value, failure };
}
