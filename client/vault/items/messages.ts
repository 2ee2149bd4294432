import type { MessageContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { SetsByKey } from './sets-by-key.ts';

/** Questions by their item, found also by what they belong to. */
export class Messages extends Map<string, MessageContent> {
  readonly #ofConversation = new SetsByKey();
  readonly #naming = new SetsByKey();
  readonly #ofTurn = new Map<string, string>();
  readonly #ofReply = new Map<string, string>();

  override set(id: string, message: MessageContent): this {
    this.delete(id);
    this.#ofConversation.add(message.conversationId, id);
    this.#naming.add(message.verificationItemId, id);
    this.#ofTurn.set(message.turnId, id);
    this.#ofReply.set(message.replyItemId, id);
    return super.set(id, message);
  }

  override delete(id: string): boolean {
    const message = this.get(id);
    if (message === undefined) return false;
    this.#ofConversation.remove(message.conversationId, id);
    this.#naming.remove(message.verificationItemId, id);
    if (this.#ofTurn.get(message.turnId) === id) this.#ofTurn.delete(message.turnId);
    this.#ofReply.delete(message.replyItemId);
    return super.delete(id);
  }

  override clear(): void {
    for (const index of [this.#ofConversation, this.#naming, this.#ofTurn, this.#ofReply]) index.clear();
    super.clear();
  }

  /** Ids, whether the conversation is there itself or not. */
  idsOf(conversationId: string): ReadonlySet<string> {
    return this.#ofConversation.of(conversationId);
  }

  ofTurn(turnId: string): { readonly id: string; readonly message: MessageContent } | null {
    const id = this.#ofTurn.get(turnId) ?? '';
    const message = this.get(id);
    return message === undefined ? null : { id, message };
  }

  /** The question that a reply belongs to, whether it is compact yet or not. */
  ofReply(replyItemId: string): MessageContent | null {
    return this.get(this.#ofReply.get(replyItemId) ?? '') ?? null;
  }

  /** Ids of those that rest on a verification. */
  naming(verificationItemId: string): ReadonlySet<string> {
    return this.#naming.of(verificationItemId);
  }
}
