import type { Theme } from '../../vault/api/vault-api.ts';

/*
 * Keeps two things in clear, and nothing about what was written or by whom. The theme is here so that a page does not flash. A
 * mark says that there is a session, so that the home page need not load the vault to find out that there is none.
 */
const themeKey = 'sotto.theme';
const sessionKey = 'sotto.session';

export function readTheme(): Theme {
  const theme = read(themeKey);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function rememberTheme(theme: Theme): void {
  write(themeKey, theme === 'system' ? null : theme);
}

export function expectsSession(): boolean {
  return read(sessionKey) === '1';
}

export function rememberSession(present: boolean): void {
  write(sessionKey, present ? '1' : null);
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is switched off: the next visit starts like a first one.
  }
}
