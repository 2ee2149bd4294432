import type {
  ConversationContent,
  ItemContent,
  MessageContent,
  ReplyContent,
  SettingsContent,
  VerificationContent,
} from '../../crypto/messages/item-contents.ts';
import { tombstoneFlag } from '../../crypto/messages/item-messages.ts';
import type { CachedItem } from './ciphertext-cache.ts';

/** The clear columns of one item; its body stays in the cache. */
export type ItemRow = Omit<CachedItem, 'body'>;

export function isTombstone(row: Pick<ItemRow, 'flags'>): boolean {
  return (row.flags & tombstoneFlag) !== 0;
}

/** What a verification came to; its document is opened from the cache when somebody wants to read it. */
export type VerificationSummary = Omit<VerificationContent, 'type' | 'format' | 'document'>;

/** Plaintext of everything that the newest verified head covers. In memory, and only while unlocked. */
export class VaultContents {
  readonly rows = new Map<string, ItemRow>();
  readonly conversations = new Map<string, ConversationContent>();
  readonly messages = new Map<string, MessageContent>();
  readonly replies = new Map<string, ReplyContent>();
  readonly settings = new Map<string, SettingsContent>();
  readonly verifications = new Map<string, VerificationSummary>();
  readonly #messagesOf = new Map<string, Set<string>>();
  readonly #messageOfTurn = new Map<string, string>();
  readonly #messageOfReply = new Map<string, string>();
  readonly #messagesNaming = new Map<string, Set<string>>();
  /** Of turns that were sealed anew after their message was stored. */
  readonly #laterVerifications = new Map<string, string>();

  /** @param content - null for a tombstone, an expired body and a type of a later build. */
  set(row: ItemRow, content: ItemContent | null): void {
    this.#forgetContent(row.id);
    this.rows.set(row.id, row);
    switch (content?.type) {
      case 'conversation':
        this.conversations.set(row.id, content);
        break;
      case 'message':
        this.messages.set(row.id, content);
        this.#messageOfTurn.set(content.turnId, row.id);
        this.#messageOfReply.set(content.replyItemId, row.id);
        this.#messagesOf.set(content.conversationId, this.messageIds(content.conversationId).add(row.id));
        if (content.verificationItemId !== undefined) addTo(this.#messagesNaming, content.verificationItemId, row.id);
        break;
      case 'reply':
        this.replies.set(row.id, content);
        break;
      case 'settings':
        this.settings.set(row.id, content);
        break;
      case 'verification': {
        const { type: _type, format: _format, document: _document, ...summary } = content;
        this.verifications.set(row.id, summary);
        this.#noteLater(row.id, summary);
        break;
      }
      case undefined:
    }
  }

  delete(id: string): void {
    this.#forgetContent(id);
    this.rows.delete(id);
  }

  clear(): void {
    for (const map of [
      this.rows,
      this.conversations,
      this.messages,
      this.replies,
      this.settings,
      this.verifications,
      this.#messagesNaming,
      this.#laterVerifications,
    ]) {
      map.clear();
    }
    this.#messagesOf.clear();
    this.#messageOfTurn.clear();
    this.#messageOfReply.clear();
  }

  /** Of the conversation, whether it is there itself or not. */
  messageIds(conversationId: string): Set<string> {
    return this.#messagesOf.get(conversationId) ?? new Set();
  }

  messageOfTurn(turnId: string): { readonly id: string; readonly message: MessageContent } | null {
    const id = this.#messageOfTurn.get(turnId);
    const message = id === undefined ? undefined : this.messages.get(id);
    return id === undefined || message === undefined ? null : { id, message };
  }

  /** The question that an answer belongs to, whether it is compact yet or not. */
  messageOfReply(replyItemId: string): MessageContent | null {
    return this.messages.get(this.#messageOfReply.get(replyItemId) ?? '') ?? null;
  }

  /** The conversation that an item belongs to, or is. */
  conversationOf(id: string): string | null {
    if (this.conversations.has(id)) return id;
    const turnId = this.verifications.get(id)?.turnId;
    const message = this.messages.get(id) ?? (turnId === undefined ? null : this.messageOfTurn(turnId)?.message);
    return message?.conversationId ?? this.replies.get(id)?.conversationId ?? null;
  }

  /** What a turn rests on last; null where nothing was kept. */
  verificationOf(turnId: string): { readonly id: string; readonly summary: VerificationSummary } | null {
    const named = this.messageOfTurn(turnId)?.message.verificationItemId;
    for (const id of [this.#laterVerifications.get(turnId), named]) {
      const summary = id === undefined ? undefined : this.verifications.get(id);
      if (id !== undefined && summary !== undefined) return { id, summary };
    }
    return null;
  }

  /** The messages whose turns rest on a verification. */
  turnsOf(verificationItemId: string): readonly string[] {
    const later = this.messageOfTurn(this.verifications.get(verificationItemId)?.turnId ?? '');
    return [...(this.#messagesNaming.get(verificationItemId) ?? []), ...(later === null ? [] : [later.id])];
  }

  isLive(id: string): boolean {
    const row = this.rows.get(id);
    return row !== undefined && !isTombstone(row);
  }

  #forgetContent(id: string): void {
    const message = this.messages.get(id);
    if (message !== undefined) {
      const siblings = this.#messagesOf.get(message.conversationId);
      siblings?.delete(id);
      if (siblings?.size === 0) this.#messagesOf.delete(message.conversationId);
      if (this.#messageOfTurn.get(message.turnId) === id) this.#messageOfTurn.delete(message.turnId);
      this.#messageOfReply.delete(message.replyItemId);
      this.#messagesNaming.get(message.verificationItemId ?? '')?.delete(id);
      this.messages.delete(id);
    }
    this.conversations.delete(id);
    this.replies.delete(id);
    this.settings.delete(id);
    const verified = this.verifications.get(id);
    if (verified?.turnId !== undefined && this.#laterVerifications.get(verified.turnId) === id) {
      this.#laterVerifications.delete(verified.turnId);
    }
    this.verifications.delete(id);
  }

  #noteLater(id: string, { turnId, verifiedAtMs }: VerificationSummary): void {
    if (turnId === undefined) return;
    const known = this.verifications.get(this.#laterVerifications.get(turnId) ?? '');
    if (known === undefined || known.verifiedAtMs <= verifiedAtMs) this.#laterVerifications.set(turnId, id);
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}
