import { useEffect } from 'react';
import { rememberTheme } from '../state/browser-memory.ts';
import { useAppSelector } from './app-context.tsx';

/** Puts the chosen theme on the document; `system` leaves it to the browser. */
export function useTheme(): void {
  const theme = useAppSelector((state) => state.theme);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    rememberTheme(theme);
  }, [theme]);
}
