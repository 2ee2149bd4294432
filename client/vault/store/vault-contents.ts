import type {
  ConversationContent,
  ItemContent,
  MessageContent,
  PreferenceContent,
  ReplyContent,
  ReplyNoteContent,
  SettingsContent,
  VerificationContent,
} from '../../../crypto/protocol/contents/item-contents.ts';
import { tombstoneFlag } from '../../../crypto/protocol/messages/item-messages.ts';
import type { UnreadableContent } from '../../../crypto/vault/item-content.ts';
import type { CachedItem } from './ciphertext-cache.ts';

/** The clear columns of one item; its body stays in the cache. */
export type ItemRow = Omit<CachedItem, 'body'>;

export function isTombstone(row: Pick<ItemRow, 'flags'>): boolean {
  return (row.flags & tombstoneFlag) !== 0;
}

/** null for a tombstone, an expired body and a type of a later build. */
export type OpenedContent = ItemContent | UnreadableContent | null;

/** What a verification came to; its document is opened from the cache when somebody wants to read it. */
export type VerificationSummary = Omit<VerificationContent, 'type' | 'format' | 'document'>;

/** Plaintext of everything that the newest verified head covers. In memory, and only while unlocked. */
export class VaultContents {
  readonly rows = new Map<string, ItemRow>();
  readonly conversations = new Map<string, ConversationContent>();
  readonly messages = new Map<string, MessageContent>();
  readonly replies = new Map<string, ReplyContent>();
  /** What is noted of answers, beside their compact replies. */
  readonly notes = new Map<string, ReplyNoteContent>();
  readonly settings = new Map<string, SettingsContent>();
  readonly preferences = new Map<string, PreferenceContent>();
  readonly verifications = new Map<string, VerificationSummary>();
  /** Alive, and in a form of a later build: neither absent nor deleted. */
  readonly unreadable = new Map<string, UnreadableContent>();
  readonly #messagesOf = new Map<string, Set<string>>();
  readonly #messageOfTurn = new Map<string, string>();
  readonly #messageOfReply = new Map<string, string>();
  readonly #notesOfTurn = new Map<string, Set<string>>();
  readonly #messagesNaming = new Map<string, Set<string>>();
  /** Of turns that were sealed anew after their message was stored. */
  readonly #laterVerifications = new Map<string, string>();

  set(row: ItemRow, content: OpenedContent): void {
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
      case 'reply-note':
        this.notes.set(row.id, content);
        addTo(this.#notesOfTurn, content.turnId, row.id);
        break;
      case 'preference':
        this.preferences.set(row.id, content);
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
      case 'unreadable':
        this.unreadable.set(row.id, content);
        break;
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
      this.notes,
      this.#notesOfTurn,
      this.settings,
      this.preferences,
      this.verifications,
      this.unreadable,
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

  /** What is noted of the answer to one turn. */
  noteOf(turnId: string): { readonly id: string; readonly note: ReplyNoteContent } | null {
    // One batch writes reply and note, so there is one; were there two, all devices take the same.
    const id = [...(this.#notesOfTurn.get(turnId) ?? [])].toSorted().at(0) ?? '';
    const note = this.notes.get(id);
    return note === undefined ? null : { id, note };
  }

  notesOf(conversationId: string): readonly string[] {
    return [...this.notes].flatMap(([id, note]) => (note.conversationId === conversationId ? [id] : []));
  }

  /** What counts of one name: of several items the last writer's, of equal times the greater value (SPEC.md §5.1). */
  preference(name: string): { readonly id: string; readonly preference: PreferenceContent } | null {
    let newest: { id: string; preference: PreferenceContent } | null = null;
    for (const [id, preference] of this.preferences) {
      if (preference.name !== name) continue;
      const before = newest?.preference;
      const isNewer =
        before === undefined ||
        preference.setAtMs > before.setAtMs ||
        (preference.setAtMs === before.setAtMs && preference.value > before.value);
      if (isNewer) newest = { id, preference };
    }
    return newest;
  }

  /** The conversation that an item belongs to, or is. */
  conversationOf(id: string): string | null {
    const unreadable = this.unreadable.get(id);
    if (this.conversations.has(id) || unreadable?.of === 'conversation') return id;
    const turnId = this.verifications.get(id)?.turnId;
    const message = this.messages.get(id) ?? (turnId === undefined ? null : this.messageOfTurn(turnId)?.message);
    return (message ?? this.replies.get(id) ?? this.notes.get(id) ?? unreadable)?.conversationId ?? null;
  }

  /** What is there of a conversation, or is it, and cannot be read. */
  unreadableOf(conversationId: string): readonly string[] {
    return this.#unreadableIds(({ conversationId: named }, id) => named === conversationId || id === conversationId);
  }

  /** Whether a person's minimum may be set higher than this build can read: for the account, or for this conversation. */
  hidesMinimum(conversationId: string | null): boolean {
    return (
      this.#unreadableIds(({ of }) => of === 'settings' || of === null).length > 0 ||
      (conversationId !== null && this.unreadable.has(conversationId))
    );
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

  /** All that a turn was ever sealed on the ground of, whether it is here or not. */
  verificationsOf(turnId: string): readonly string[] {
    const named = this.messageOfTurn(turnId)?.message.verificationItemId;
    const later = [...this.verifications].flatMap(([id, summary]) => (summary.turnId === turnId ? [id] : []));
    return named === undefined ? later : [named, ...later];
  }

  /** The messages whose turns rest on a verification, and those that may: what they name cannot be read. */
  turnsOf(verificationItemId: string): readonly string[] {
    const later = this.messageOfTurn(this.verifications.get(verificationItemId)?.turnId ?? '');
    return [
      ...(this.#messagesNaming.get(verificationItemId) ?? []),
      ...(later === null ? [] : [later.id]),
      ...this.#unreadableIds(({ of }) => of === 'message' || of === null),
    ];
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
    this.unreadable.delete(id);
    this.conversations.delete(id);
    this.replies.delete(id);
    this.#forgetNote(id);
    this.settings.delete(id);
    this.preferences.delete(id);
    const verified = this.verifications.get(id);
    if (verified?.turnId !== undefined && this.#laterVerifications.get(verified.turnId) === id) {
      this.#laterVerifications.delete(verified.turnId);
    }
    this.verifications.delete(id);
  }

  #forgetNote(id: string): void {
    const turnId = this.notes.get(id)?.turnId ?? '';
    const others = this.#notesOfTurn.get(turnId);
    others?.delete(id);
    if (others?.size === 0) this.#notesOfTurn.delete(turnId);
    this.notes.delete(id);
  }

  #unreadableIds(isMeant: (content: UnreadableContent, id: string) => boolean): string[] {
    return [...this.unreadable].flatMap(([id, content]) => (isMeant(content, id) ? [id] : []));
  }

  #noteLater(id: string, { turnId, verifiedAtMs }: VerificationSummary): void {
    if (turnId === undefined) return;
    const knownId = this.#laterVerifications.get(turnId) ?? '';
    const known = this.verifications.get(knownId);
    // Of equal ones the greater id: which one a device read first decides nothing.
    const isNewer =
      known === undefined ||
      known.verifiedAtMs < verifiedAtMs ||
      (known.verifiedAtMs === verifiedAtMs && knownId <= id);
    if (isNewer) this.#laterVerifications.set(turnId, id);
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}
