import type { ConversationContent, PreferenceContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { isLaterPreference } from '../../items/preferences.ts';
import type { VaultContents } from '../../store/vault-contents.ts';
import { isTurn, type Outbox } from './outbox.ts';
import { firstConversation } from '../operations/plan-turn.ts';
import { type ConversationChange } from '../operations/item-changes.ts';
import { type NewestSettings, newestSettings } from '../../items/settings.ts';

export type ShownConversation = {
  readonly content: ConversationContent;
  /** The relay has it. */
  readonly stored: boolean;
};

/** The vault as it will be once what waits in this browser is stored. */
export class ShownContents {
  readonly #contents: VaultContents;
  readonly #outbox: Pick<Outbox, 'all'>;

  constructor(contents: VaultContents, outbox: Pick<Outbox, 'all'>) {
    this.#contents = contents;
    this.#outbox = outbox;
  }

  /** Conversations that a person deleted. */
  deleted(): ReadonlySet<string> {
    return new Set(this.#outbox.all.flatMap(({ type, operation }) => type.deletes?.(operation) ?? []));
  }

  /** By id; those that were deleted are left out. */
  conversations(): Map<string, ShownConversation> {
    const deleted = this.deleted();
    const shown = new Map<string, ShownConversation>();
    for (const [id, content] of this.#contents.conversations) shown.set(id, { content, stored: true });
    for (const { operation } of this.#outbox.all.filter(isTurn)) {
      const { conversationId } = operation;
      if (shown.has(conversationId) || this.#contents.rows.has(conversationId)) continue;
      const content = firstConversation(operation, this.changesOf(conversationId));
      if (content !== null) shown.set(conversationId, { content, stored: false });
    }
    for (const { id, change } of this.#conversationChanges()) {
      const known = shown.get(id);
      if (known?.stored === true) shown.set(id, { ...known, content: change(known.content) });
    }
    for (const id of deleted) shown.delete(id);
    return shown;
  }

  /** null for one that is not here; a deletion that waits changes nothing of it. */
  conversation(id: string): ConversationContent | null {
    const change = this.changesOf(id);
    const stored = this.#contents.conversations.get(id);
    if (stored !== undefined) return change(stored);
    if (this.#contents.rows.has(id)) return null;
    const begun = this.#outbox.all
      .filter(isTurn)
      .find(({ operation }) => operation.conversationId === id && operation.newConversation !== null);
    return begun === undefined ? null : firstConversation(begun.operation, change);
  }

  /** All that waits to be done to one conversation, in order. */
  changesOf(id: string): ConversationChange['change'] {
    const changes = this.#conversationChanges().filter((change) => change.id === id);
    return (conversation) => changes.reduce((changed, { change }) => change(changed), conversation);
  }

  settings(): NewestSettings {
    let settings = newestSettings(this.#contents.settings.values());
    for (const { type, operation } of this.#outbox.all) {
      settings = type.settings?.(operation).change(settings) ?? settings;
    }
    return settings;
  }

  /** The preference of one name that counts; null where nobody set it. */
  preference(name: string): PreferenceContent | null {
    let shown = this.#contents.preferences.newest(name)?.preference ?? null;
    for (const { type, operation } of this.#outbox.all) {
      const content = type.preference?.(operation).content;
      if (content?.name === name && (shown === null || isLaterPreference(content, shown))) shown = content;
    }
    return shown;
  }

  #conversationChanges(): ConversationChange[] {
    return this.#outbox.all.flatMap(({ type, operation }) => type.conversation?.(operation) ?? []);
  }
}
