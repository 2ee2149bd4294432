import { useEffect } from 'react';
import { useVaultView } from '../../shell/context/app-context.tsx';
import { readTheme, rememberTheme } from '../../state/browser-memory.ts';
import type { Theme } from '../../../vault/api/vault-api.ts';

/** The theme of the account; before one is open what this browser showed last. */
export function useTheme(): Theme {
  return useVaultView('theme') ?? readTheme();
}

/** Puts the theme on the document; `system` leaves it to the browser. */
export function useShownTheme(): void {
  const theme = useTheme();
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    rememberTheme(theme);
  }, [theme]);
}
