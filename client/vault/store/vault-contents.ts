import type {
  ConversationContent,
  ItemContent,
  ReplyContent,
  SettingsContent,
} from '../../../crypto/protocol/contents/item-contents.ts';
import { tombstoneFlag } from '../../../crypto/protocol/messages/item-messages.ts';
import type { UnreadableContent } from '../../../crypto/vault/item-content.ts';
import { Messages } from '../items/messages.ts';
import { Preferences } from '../items/preferences.ts';
import { ReplyNotes } from '../items/reply-notes.ts';
import { UnreadableItems } from '../items/unreadable-items.ts';
import { Verifications, type VerificationSummary } from '../items/verifications.ts';
import type { CachedItem } from './cached-shapes.ts';

/** The clear columns of one item; its body stays in the cache. */
export type ItemRow = Omit<CachedItem, 'body'>;

export function isTombstone(row: Pick<ItemRow, 'flags'>): boolean {
  return (row.flags & tombstoneFlag) !== 0;
}

/** null for a tombstone, an expired body and a type of a later build. */
export type OpenedContent = ItemContent | UnreadableContent | null;

type ContentOf<Type> = Extract<NonNullable<OpenedContent>, { readonly type: Type }>;

/** The items of one type. `keep` adds one, or puts it in the place of the one of its id. */
type Table<Content> = {
  readonly items: ReadonlyMap<string, unknown> & Pick<Map<string, unknown>, 'delete' | 'clear'>;
  readonly keep: (id: string, content: Content) => unknown;
};

/** A table that keeps contents as they are. */
function whole<Content>(items: Map<string, Content>): Table<Content> {
  return { items, keep: (id, content) => items.set(id, content) };
}

/** Plaintext of everything that the newest verified head covers. In memory, and only while unlocked. */
export class VaultContents {
  readonly rows = new Map<string, ItemRow>();
  readonly conversations = new Map<string, ConversationContent>();
  readonly messages = new Messages();
  readonly replies = new Map<string, ReplyContent>();
  readonly replyNotes = new ReplyNotes();
  readonly settings = new Map<string, SettingsContent>();
  readonly preferences = new Preferences();
  readonly verifications = new Verifications();
  readonly unreadable = new UnreadableItems();

  /** The table that keeps the items of each type: a new type is one more line, and is forgotten with the others. */
  readonly #tables: { readonly [Type in NonNullable<OpenedContent>['type']]: Table<ContentOf<Type>> } = {
    conversation: whole(this.conversations),
    message: whole(this.messages),
    reply: whole(this.replies),
    'reply-note': whole(this.replyNotes),
    settings: whole(this.settings),
    preference: whole(this.preferences),
    verification: { items: this.verifications, keep: (id, content) => this.verifications.add(id, content) },
    unreadable: whole(this.unreadable),
  };

  /** Everything that this build can read, each by its id. */
  get readable(): readonly ReadonlyMap<string, unknown>[] {
    const { unreadable: _unreadable, ...readable } = this.#tables;
    return Object.values(readable).map(({ items }) => items);
  }

  set(row: ItemRow, content: OpenedContent): void {
    this.#forgetContent(row.id);
    this.rows.set(row.id, row);
    if (content === null) return;
    const table: Table<never> = this.#tables[content.type];
    table.keep(row.id, content as never);
  }

  delete(id: string): void {
    this.#forgetContent(id);
    this.rows.delete(id);
  }

  clear(): void {
    this.rows.clear();
    for (const { items } of Object.values(this.#tables)) items.clear();
  }

  /** The conversation that an item belongs to, or is. */
  conversationOf(id: string): string | null {
    const unreadable = this.unreadable.get(id);
    if (this.conversations.has(id) || unreadable?.of === 'conversation') return id;
    const turnId = this.verifications.get(id)?.turnId;
    const message = this.messages.get(id) ?? (turnId === undefined ? null : this.messages.ofTurn(turnId)?.message);
    return (message ?? this.replies.get(id) ?? this.replyNotes.get(id) ?? unreadable)?.conversationId ?? null;
  }

  /** True where a person's minimum may be higher than this build can read: for the account, or for this conversation. */
  hidesMinimum(conversationId: string | null): boolean {
    return (
      this.unreadable.perhaps('settings').length > 0 || (conversationId !== null && this.unreadable.has(conversationId))
    );
  }

  /** The verification that a turn rests on last; null where none was kept. */
  verificationOf(turnId: string): { readonly id: string; readonly summary: VerificationSummary } | null {
    const named = this.messages.ofTurn(turnId)?.message.verificationItemId;
    for (const id of [this.verifications.latestOf(turnId), named]) {
      const summary = id === undefined ? undefined : this.verifications.get(id);
      if (id !== undefined && summary !== undefined) return { id, summary };
    }
    return null;
  }

  /** All that a turn was ever sealed on the ground of, whether it is here or not. */
  verificationsOf(turnId: string): readonly string[] {
    const named = this.messages.ofTurn(turnId)?.message.verificationItemId;
    const later = this.verifications.idsOf(turnId);
    return named === undefined ? later : [named, ...later];
  }

  /** The messages whose turns rest on a verification, and those that may: what they name cannot be read. */
  turnsOf(verificationItemId: string): readonly string[] {
    const later = this.messages.ofTurn(this.verifications.get(verificationItemId)?.turnId ?? '');
    return [
      ...this.messages.naming(verificationItemId),
      ...(later === null ? [] : [later.id]),
      ...this.unreadable.perhaps('message'),
    ];
  }

  isLive(id: string): boolean {
    const row = this.rows.get(id);
    return row !== undefined && !isTombstone(row);
  }

  #forgetContent(id: string): void {
    for (const { items } of Object.values(this.#tables)) items.delete(id);
  }
}
