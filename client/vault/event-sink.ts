import type { Clock } from '../relay/clock.ts';
import type { Conversations } from './conversations.ts';
import type { TabMessage } from './tab-channel.ts';
import type { FailureCode, ReturnedWords, VaultEvent } from './vault-api.ts';

/** Turns changes of the vault into events of the page: whole lists at most once a turn of the event loop. */
export class EventSink {
  readonly #emit: (event: VaultEvent) => void;
  readonly #conversations: Conversations;
  readonly #clock: Clock;
  readonly #opened = new Set<string>();
  readonly #stale = new Set<string>();
  #callOff: (() => void) | null = null;
  #lastList = '';
  #lastTheme = '';
  #lastReturned = '[]';
  #alarm: FailureCode | null = null;

  constructor(emit: (event: VaultEvent) => void, conversations: Conversations, clock: Clock) {
    this.#emit = emit;
    this.#conversations = conversations;
    this.#clock = clock;
  }

  /** From now on the page hears of every change in this conversation; it gets all messages at once. */
  open(conversationId: string): void {
    this.#opened.add(conversationId);
    this.#emitMessages(conversationId);
  }

  /** Something in these conversations changed, or in the list. */
  changed(conversationIds: Iterable<string>): void {
    for (const id of conversationIds) if (this.#opened.has(id)) this.#stale.add(id);
    this.#callOff ??= this.#clock.after(0, () => this.flush());
  }

  allChanged(): void {
    this.changed(this.#opened);
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
    const theme = this.#conversations.theme();
    if (theme !== this.#lastTheme) this.#emit({ type: 'theme', theme });
    this.#lastTheme = theme;
  }

  /** One answer changed. `growth` null: other than by text that one frame brought. */
  answerChanged(turnId: string, growth: { readonly text: string; readonly reasoning: string } | null): void {
    const answer = this.#conversations.answerOf(turnId);
    if (answer === null) return;
    const { conversationId, message } = answer;
    // All of it follows in a moment, this included.
    if (this.#stale.has(conversationId)) return;
    if (this.#opened.has(conversationId)) {
      if (growth === null) this.#emit({ type: 'message', conversationId, message });
      else this.#emit({ type: 'delta', conversationId, messageId: message.id, ...growth });
    }
    if (growth === null) this.changed([]);
  }

  /** Words that wait for a draft. */
  returned(words: readonly ReturnedWords[]): void {
    const list = JSON.stringify(words);
    if (list !== this.#lastReturned) this.#emit({ type: 'returned', words });
    this.#lastReturned = list;
  }

  /** The same alarm once, until all is well again. @returns whether it is new. */
  alarm(code: FailureCode): boolean {
    if (this.#alarm === code) return false;
    this.#alarm = code;
    this.#emit({ type: 'alarm', code });
    return true;
  }

  /** What another tab found. */
  hear(message: Extract<TabMessage, { type: 'alarm' | 'all-is-well' }>): void {
    if (message.type === 'alarm') this.alarm(message.code);
    else this.allIsWell();
  }

  /** @returns whether it was not well before. */
  allIsWell(): boolean {
    const wasAlarmed = this.#alarm !== null;
    this.#alarm = null;
    return wasAlarmed;
  }

  end(): void {
    this.#callOff?.();
    this.#opened.clear();
  }

  #emitMessages(conversationId: string): void {
    this.#emit({ type: 'messages', conversationId, messages: this.#conversations.messages(conversationId) });
  }
}
