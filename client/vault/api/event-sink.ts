import type { Clock } from '../surroundings/clock.ts';
import type { Conversations } from '../threads/conversations.ts';
import type { TabChannel, TabMessage } from '../store/tab-channel.ts';
import type { FailureCode } from '../failures/failure-codes.ts';
import type { VaultViews } from '../features/features.ts';
import type { VaultEvent, ViewEvent } from './vault-api.ts';

/** Alarms of what waits and is not stored; all others are of what a sync meets. */
const writingCodes: ReadonlySet<FailureCode> = new Set(['not-stored', 'quota-exceeded']);

/** All that the page watches of features. */
export type WatchedViews = {
  /** Each view as it is now. */
  readonly read: () => Partial<VaultViews>;
  /** The page has them: what follows from them may be told. */
  readonly onTold: () => void;
};

/** Turns changes of the vault into events of the page: whole lists at most once a turn of the event loop. */
export class EventSink {
  readonly #emit: (event: VaultEvent) => void;
  readonly #conversations: Conversations;
  readonly #views: WatchedViews;
  readonly #clock: Clock;
  /** Conversations that the page has, each with the messages that it was given. */
  readonly #opened = new Map<string, ReadonlySet<string>>();
  readonly #stale = new Set<string>();
  #callOff: (() => void) | null = null;
  #lastList = '';
  /** Each view as it was told last. */
  readonly #told = new Map<string, string>();
  readonly #alarms = new Set<FailureCode>();

  constructor(emit: (event: VaultEvent) => void, conversations: Conversations, views: WatchedViews, clock: Clock) {
    this.#emit = emit;
    this.#views = views;
    this.#conversations = conversations;
    this.#clock = clock;
  }

  /** From now on the page hears of every change in this conversation; it gets all messages at once. */
  open(conversationId: string): void {
    this.#emitMessages(conversationId);
  }

  /** Something in these conversations changed, or in the list. */
  changed(conversationIds: Iterable<string>): void {
    for (const id of conversationIds) if (this.#opened.has(id)) this.#stale.add(id);
    this.#callOff ??= this.#clock.after(0, () => this.flush());
  }

  allChanged(): void {
    this.changed(this.#opened.keys());
  }

  flush(): void {
    this.#callOff?.();
    this.#callOff = null;
    const conversations = this.#conversations.list();
    const list = JSON.stringify(conversations);
    if (list !== this.#lastList) this.#emit({ type: 'conversations', conversations });
    this.#lastList = list;
    for (const id of this.#stale) this.#emitMessages(id);
    this.#stale.clear();
    this.tellViews();
  }

  /** Tells the views that differ from what was told before. */
  tellViews(): void {
    for (const [name, value] of Object.entries(this.#views.read())) {
      const text = JSON.stringify(value);
      if (this.#told.get(name) === text) continue;
      this.#told.set(name, text);
      this.#emit({ type: 'view', name, value } as ViewEvent);
    }
    this.#views.onTold();
  }

  /** One reply changed. `growth` null: other than by text that one frame brought. */
  replyChanged(turnId: string, growth: { readonly text: string; readonly reasoning: string } | null): void {
    const reply = this.#conversations.replyOf(turnId);
    if (reply === null) return;
    const { conversationId, message } = reply;
    // All of it follows in a moment, this included.
    if (this.#stale.has(conversationId)) return;
    // A question that was asked again is no longer shown, and goes on being read.
    if (this.#opened.get(conversationId)?.has(message.id) === true) {
      if (growth === null) this.#emit({ type: 'message', conversationId, message });
      else this.#emit({ type: 'delta', conversationId, messageId: message.id, ...growth });
    }
    if (growth === null) this.changed([]);
  }

  /** The same alarm once, until what it is of is well again. @returns whether it is new. */
  alarm(code: FailureCode): boolean {
    if (this.#alarms.has(code)) return false;
    this.#alarms.add(code);
    this.#emit({ type: 'alarm', code });
    return true;
  }

  /** Passes on a message from another tab. */
  hear(message: Extract<TabMessage, { type: 'alarm' | 'all-is-well' }>): void {
    if (message.type === 'alarm') this.alarm(message.code);
    else this.allIsWell(message.of, null);
  }

  /**
   * A relay that is read from may still refuse to write, and the other way round.
   *
   * @param others - The tabs to be told, if it was not well before.
   */
  allIsWell(of: 'reading' | 'writing', others: TabChannel | null): void {
    const over = [...this.#alarms].filter((code) => writingCodes.has(code) === (of === 'writing'));
    for (const code of over) this.#alarms.delete(code);
    if (over.length > 0) others?.post({ type: 'all-is-well', of });
  }

  end(): void {
    this.#callOff?.();
    this.#opened.clear();
  }

  #emitMessages(conversationId: string): void {
    const messages = this.#conversations.messages(conversationId);
    this.#opened.set(conversationId, new Set(messages.map(({ id }) => id)));
    this.#emit({ type: 'messages', conversationId, messages });
  }
}
