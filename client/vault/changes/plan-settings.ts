import type { ConversationContent, SettingsContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { compareLevels, type ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import type { Operation } from './operation.ts';

/** A minimum that a person set, and when. */
export type SetMinimum = { readonly value: ProtectionLevel; readonly setAtMs: number };

type Theme = SettingsContent['theme'];

/** What counts among all settings items of the account: two devices may both have made one. */
export type NewestSettings = { readonly theme: Theme | null; readonly minimumProtection: SetMinimum | null };

export function newestSettings(settings: Iterable<SettingsContent>): NewestSettings {
  let theme: Theme | null = null;
  let minimumProtection: SetMinimum | null = null;
  for (const each of settings) {
    if (theme === null || isLaterTheme(each.theme, theme)) theme = each.theme;
    const minimum = each.minimumProtection;
    if (minimum !== undefined && isLaterMinimum(minimum, minimumProtection)) minimumProtection = minimum;
  }
  return { theme, minimumProtection };
}

/** As the account's settings will be after this operation; null when it came too late to change anything. */
export function changeSettings(
  newest: NewestSettings,
  operation: Extract<Operation, { kind: 'theme' | 'minimum' }>,
): SettingsContent | null {
  const changed = applyTo(newest, operation);
  if (changed === null) return null;
  // Whoever sets a theme later than the beginning of time wins.
  const theme = changed.theme ?? { value: 'system', setAtMs: 0 };
  const { minimumProtection } = changed;
  const settings = { type: 'settings', format: 1, theme } as const;
  return minimumProtection === null ? settings : { ...settings, minimumProtection };
}

function applyTo(
  newest: NewestSettings,
  operation: Extract<Operation, { kind: 'theme' | 'minimum' }>,
): NewestSettings | null {
  const { setAtMs } = operation;
  if (operation.kind === 'theme') {
    const theme = { value: operation.theme, setAtMs };
    return newest.theme === null || isLaterTheme(theme, newest.theme) ? { ...newest, theme } : null;
  }
  const minimumProtection = { value: operation.level, setAtMs };
  return isLaterMinimum(minimumProtection, newest.minimumProtection) ? { ...newest, minimumProtection } : null;
}

/** The last writer wins; of two in one millisecond the greater value, so that all devices agree. */
function isLaterTheme(a: Theme, b: Theme): boolean {
  return a.setAtMs > b.setAtMs || (a.setAtMs === b.setAtMs && a.value > b.value);
}

/** Of two in one millisecond the stricter. */
export function isLaterMinimum(a: SetMinimum, b: SetMinimum | null): boolean {
  if (b === null || a.setAtMs > b.setAtMs) return true;
  return a.setAtMs === b.setAtMs && compareLevels(a.value, b.value) > 0;
}

/** The last writer wins; of two in one millisecond the greater value, so that all devices agree. */
export function withTitle(conversation: ConversationContent, title: ConversationContent['title']): ConversationContent {
  const isNewer =
    title.setAtMs > conversation.title.setAtMs ||
    (title.setAtMs === conversation.title.setAtMs && title.value > conversation.title.value);
  return isNewer ? { ...conversation, title } : conversation;
}

export function withMinimum(conversation: ConversationContent, minimum: SetMinimum): ConversationContent {
  return isLaterMinimum(minimum, conversation.minimumProtection ?? null)
    ? { ...conversation, minimumProtection: minimum }
    : conversation;
}
