import type { UnreadableContent } from '../../../crypto/vault/item-content.ts';

/** Alive, and in a form of a later build: neither absent nor deleted. */
export class UnreadableItems extends Map<string, UnreadableContent> {
  /** What is there of a conversation, or is it. */
  idsOf(conversationId: string): readonly string[] {
    return this.#ids(({ conversationId: named }, id) => named === conversationId || id === conversationId);
  }

  /** Those that may be of a type: what says nothing of itself may be anything. */
  perhaps(type: UnreadableContent['of']): readonly string[] {
    return this.#ids(({ of }) => of === type || of === null);
  }

  #ids(isMeant: (content: UnreadableContent, id: string) => boolean): readonly string[] {
    return [...this].flatMap(([id, content]) => (isMeant(content, id) ? [id] : []));
  }
}
