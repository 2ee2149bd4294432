import type { ConversationContent, PreferenceContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { isLaterPreference } from '../../items/preferences.ts';
import { type NewestSettings, newestSettings, settingsContent } from '../../items/settings.ts';
import type { BatchInProgress } from './batch-in-progress.ts';

/** A change of one conversation's own item. */
export type ConversationChange = {
  readonly id: string;
  readonly change: (conversation: ConversationContent) => ConversationContent;
};

/** A change of the account's settings; null when it comes too late to change anything. */
export type SettingsChange = {
  /** The id for a settings item, if the account has none yet. */
  readonly itemId: string;
  readonly change: (newest: NewestSettings) => NewestSettings | null;
};

/** A small thing of the account as it is to be. */
export type PreferenceChange = {
  /** The id for its item, if the account has no preference of this name yet. */
  readonly itemId: string;
  readonly content: PreferenceContent;
};

/** Written where it is later than what is there; of two items of a name the one that counts is kept up. */
export function applyPreference(plan: BatchInProgress, { itemId, content }: PreferenceChange): true {
  const kept = plan.preference(content.name);
  if (kept === null || isLaterPreference(content, kept.preference)) plan.write(kept?.id ?? itemId, content);
  return true;
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
  // A change to an unreadable conversation is kept: a later build wrote it, and a build that reads it carries the change out.
  if (conversation === null) return !waiting.has(id) && !plan.contents.unreadable.has(id);
  const changed = change(conversation);
  if (changed !== conversation) plan.write(id, changed);
  return true;
}
