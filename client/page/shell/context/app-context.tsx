import { createContext, use, type ReactNode } from 'react';
import { Provider, useDispatch, useSelector } from 'react-redux';
import type { AppState, AppStore } from '../../state/store.ts';
import type { ViewsState } from '../../state/slices/views-slice.ts';
import type { VaultLink } from '../../state/vault-link.ts';

const VaultContext = createContext<VaultLink | null>(null);

type AppProviderProps = { readonly store: AppStore; readonly vault: VaultLink; readonly children: ReactNode };

export function AppProvider({ store, vault, children }: AppProviderProps) {
  return (
    <Provider store={store}>
      <VaultContext value={vault}>{children}</VaultContext>
    </Provider>
  );
}

export function useVault(): VaultLink {
  const vault = use(VaultContext);
  if (vault === null) throw new Error('useVault outside of AppProvider');
  return vault;
}

export const useAppSelector = useSelector.withTypes<AppState>();
/** A view of one of the vault's features; undefined before an account is open. */
export function useVaultView<Name extends keyof ViewsState>(name: Name): ViewsState[Name] {
  return useAppSelector((state) => state.views[name]);
}

export const useAppDispatch = useDispatch.withTypes<AppStore['dispatch']>();
