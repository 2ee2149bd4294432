import type { UnreadableContent } from '../../../crypto/vault/item-content.ts';

/** Alive, and in a form of a later build: neither absent nor deleted. */
export class UnreadableItems extends Map<string, UnreadableContent> {
  /** The unreadable items of a conversation, and the conversation itself where it is one. */
  idsOf(conversationId: string): readonly string[] {
    return this.#ids(({ conversationId: named }, id) => named === conversationId || id === conversationId);
  }

  /** The items that may be of a type: an item that says nothing of itself may be anything. */
  perhaps(type: UnreadableContent['of']): readonly string[] {
    return this.#ids(({ of }) => of === type || of === null);
  }

  #ids(isMeant: (content: UnreadableContent, id: string) => boolean): readonly string[] {
    return [...this].flatMap(([id, content]) => (isMeant(content, id) ? [id] : []));
  }
}
