import type { ConversationContent, SettingsContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { compareLevels, type ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import type { BatchInProgress } from './batch-in-progress.ts';

/** A minimum that a person set, and when. */
export type SetMinimum = { readonly value: ProtectionLevel; readonly setAtMs: number };

type Theme = SettingsContent['theme'];

/** What counts among all settings items of the account: two devices may both have made one. */
export type NewestSettings = { readonly theme: Theme | null; readonly minimumProtection: SetMinimum | null };

/** A change of one conversation's own item. */
export type ConversationChange = {
  readonly id: string;
  readonly change: (conversation: ConversationContent) => ConversationContent;
};

/** A change of the account's settings; null when it comes too late to change anything. */
export type SettingsChange = {
  /** Of the settings item, if the account has none yet. */
  readonly itemId: string;
  readonly change: (newest: NewestSettings) => NewestSettings | null;
};

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

/** The settings with a theme; null when a later one is there. */
export function withTheme(newest: NewestSettings, theme: Theme): NewestSettings | null {
  return newest.theme === null || isLaterTheme(theme, newest.theme) ? { ...newest, theme } : null;
}

/** The settings with a minimum; null when a later one is there. */
export function withAccountMinimum(newest: NewestSettings, minimumProtection: SetMinimum): NewestSettings | null {
  return isLaterMinimum(minimumProtection, newest.minimumProtection) ? { ...newest, minimumProtection } : null;
}

/** Two devices may both have made a settings item: the one of the smallest id is kept up. */
export function applyToSettings(plan: BatchInProgress, { itemId, change }: SettingsChange): true {
  const stored = plan.settings();
  const changed = change(newestSettings(stored.map(([, settings]) => settings)));
  if (changed !== null) plan.write(stored[0]?.[0] ?? itemId, settingsContent(changed));
  return true;
}

/** @returns false while its conversation is still to come, or is of a later build. */
export function applyToConversation(
  plan: BatchInProgress,
  { id, change }: ConversationChange,
  waiting: ReadonlySet<string>,
): boolean {
  const conversation = plan.conversation(id);
  // What a later build wrote of it is not to be lost: a build that reads it carries this out.
  if (conversation === null) return !waiting.has(id) && !plan.contents.unreadable.has(id);
  const changed = change(conversation);
  if (changed !== conversation) plan.write(id, changed);
  return true;
}

function settingsContent({ theme, minimumProtection }: NewestSettings): SettingsContent {
  // Whoever sets a theme later than the beginning of time wins.
  const settings = { type: 'settings', format: 1, theme: theme ?? { value: 'system', setAtMs: 0 } } as const;
  return minimumProtection === null ? settings : { ...settings, minimumProtection };
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
