import type { SettingsContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { compareLevels, type ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';

/** A minimum that a person set, and when. */
export type SetMinimum = { readonly value: ProtectionLevel; readonly setAtMs: number };

type SetTheme = SettingsContent['theme'];

/** The settings that count among all settings items of the account: two devices may both have made one. */
export type NewestSettings = { readonly theme: SetTheme | null; readonly minimumProtection: SetMinimum | null };

export function newestSettings(settings: Iterable<SettingsContent>): NewestSettings {
  let newest: NewestSettings = { theme: null, minimumProtection: null };
  for (const { theme, minimumProtection } of settings) {
    newest = withTheme(newest, theme) ?? newest;
    if (minimumProtection !== undefined) newest = withAccountMinimum(newest, minimumProtection) ?? newest;
  }
  return newest;
}

/**
 * The settings with a theme: the last writer wins; of two in one millisecond the greater value, so that all devices agree.
 *
 * @returns null when a later one is there.
 */
export function withTheme(newest: NewestSettings, theme: SetTheme): NewestSettings | null {
  const known = newest.theme;
  const isLater =
    known === null || theme.setAtMs > known.setAtMs || (theme.setAtMs === known.setAtMs && theme.value > known.value);
  return isLater ? { ...newest, theme } : null;
}

/** The settings with a minimum; null when a later one is there. */
export function withAccountMinimum(newest: NewestSettings, minimumProtection: SetMinimum): NewestSettings | null {
  return isLaterMinimum(minimumProtection, newest.minimumProtection) ? { ...newest, minimumProtection } : null;
}

/** The later minimum counts; of two in one millisecond the stricter. */
export function isLaterMinimum(a: SetMinimum, b: SetMinimum | null): boolean {
  if (b === null || a.setAtMs > b.setAtMs) return true;
  return a.setAtMs === b.setAtMs && compareLevels(a.value, b.value) > 0;
}

/** Settings as an item holds them. */
export function settingsContent({ theme, minimumProtection }: NewestSettings): SettingsContent {
  // Time 0 lets any theme that is set later win.
  const settings = { type: 'settings', format: 1, theme: theme ?? { value: 'system', setAtMs: 0 } } as const;
  return minimumProtection === null ? settings : { ...settings, minimumProtection };
}
