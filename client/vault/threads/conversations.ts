import type { MessageContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { readStoredProtection } from '../../../crypto/protocol/contents/protection-sentence.ts';
import { withoutTurning } from '../../../crypto/protocol/contents/unseen-text.ts';
import type { TurnOperation } from '../changes/operations/turn-operation.ts';
import type { Outbox, QueuedOperation } from '../changes/outbox/outbox.ts';
import { endingOf, SeenReplies } from './seen-replies.ts';
import { findNotes, type Notes } from './conversation-notes.ts';
import type { Minimums } from '../enclave/minimums.ts';
import type { ShownContents } from '../changes/outbox/shown-contents.ts';
import { chainTo, type Exchange } from '../exchange/sending/request-history.ts';
import type { ReplyTracker } from '../replies/reply-tracker.ts';
import type { AssistantMessage, ChatMessage, ConversationSummary, UserMessage } from './thread-views.ts';
import type { ReplyState } from '../exchange/reading/reply-state.ts';
import type { VaultFailure } from '../failures/failure-codes.ts';
import type { VaultContents } from '../store/vault-contents.ts';

export type ConversationDependencies = {
  readonly contents: VaultContents;
  readonly outbox: Outbox;
  readonly shown: ShownContents;
  readonly tracker: ReplyTracker;
  /** How far a question of this browser is on its way, where a tab drives it. */
  readonly progress: (turnId: string) => 'sealing' | 'connecting' | null;
  readonly minimums: Minimums;
};

/** One question with all that is known of it, stored or not. */
type Question = {
  readonly id: string;
  readonly content: Pick<MessageContent, 'parentId' | 'createdAtMs' | 'text' | 'turnId' | 'replyItemId'>;
  readonly stored: boolean;
  readonly queued: QueuedOperation<TurnOperation> | null;
};

/** The conversations as people see them: the stored contents, and on top everything that still waits in this browser. */
export class Conversations {
  readonly #dependencies: ConversationDependencies;
  readonly seen = new SeenReplies();

  constructor(dependencies: ConversationDependencies) {
    this.#dependencies = dependencies;
  }

  /** Newest first. */
  list(): ConversationSummary[] {
    const { contents, shown } = this.#dependencies;
    const summaries = new Map<string, ConversationSummary>();
    for (const [id, { content, stored }] of shown.conversations()) {
      summaries.set(id, this.#summary(id, content.title.value, content.createdAtMs, stored));
    }
    const deleted = shown.deleted();
    for (const [id, { of }] of contents.unreadable) {
      if (of === 'conversation' && !deleted.has(id)) summaries.set(id, this.#summary(id, null, 0, true));
    }
    return [...summaries.values()].toSorted((a, b) => b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : -1));
  }

  /** All messages of a conversation in the order in which they are read. */
  messages(conversationId: string): ChatMessage[] {
    if (this.#dependencies.shown.deleted().has(conversationId)) return [];
    const ordered = this.#ordered(conversationId);
    const notes = this.#notes(conversationId, ordered);
    return ordered.flatMap((question, index) => {
      const asked = { ...this.#asked(question), notesBefore: notes.before.get(question.content.turnId) ?? [] };
      const reply = this.replyTo(question);
      return [asked, index === ordered.length - 1 ? { ...reply, notesAfter: notes.after } : reply];
    });
  }

  /** The reply to one turn as it stands now; null when its question is not here. */
  replyOf(turnId: string): { readonly conversationId: string; readonly message: AssistantMessage } | null {
    const queued = this.#dependencies.outbox.turn(turnId);
    const stored = this.#dependencies.contents.messages.ofTurn(turnId);
    const conversationId = stored?.message.conversationId ?? queued?.operation.conversationId;
    if (conversationId === undefined) return null;
    const question = this.#question(turnId);
    if (question === null) return null;
    const reply = this.replyTo(question);
    // Rare, and only then all turns have to be looked at: a reply grows ten times a second.
    if (this.#dependencies.minimums.said(conversationId) === null) return { conversationId, message: reply };
    const ordered = this.#ordered(conversationId);
    const isLast = ordered.at(-1)?.content.turnId === turnId;
    const notesAfter = isLast ? this.#notes(conversationId, ordered).after : [];
    return { conversationId, message: { ...reply, notesAfter } };
  }

  /** The questions and replies that lead to a place, oldest first. */
  exchangesBefore(parentId: string | null): Exchange[] {
    return chainTo(parentId, (place) => this.#questionAt(place)).map(({ question, isByReply }) => {
      const { text, state } = this.replyTo(question);
      return { question: question.content.text, reply: isByReply ? text : '', state };
    });
  }

  /** The reply that the next question follows; null at the beginning. */
  lastReplyId(conversationId: string): string | null {
    return this.#ordered(conversationId).at(-1)?.content.replyItemId ?? null;
  }

  replyTo(question: Question): AssistantMessage {
    const { contents, tracker } = this.#dependencies;
    const { id, content, queued } = question;
    const reader = tracker.reader(content.turnId);
    if (reader !== null) this.seen.note(content.turnId, reader);
    const notes = this.seen.of(content.turnId, contents.replyNotes.ofTurn(content.turnId)?.note ?? null);
    const shared = {
      role: 'assistant',
      id: content.replyItemId,
      parentId: id,
      turnId: content.turnId,
      leftOut: notes.leftOut,
      isDocumented: contents.verificationOf(content.turnId) !== null,
      notesAfter: [],
    } as const;
    const reply = contents.replies.get(content.replyItemId);
    if (reply !== undefined) {
      const { createdAtMs, text, reasoning, outcome, model, engine, usage, protection } = reply;
      const state: ReplyState = { kind: 'ended', outcome, ...endingOf(notes) };
      const told = readStoredProtection(protection);
      return { ...shared, createdAtMs, text, reasoning, state, model, engine, usage, protection: told };
    }
    const end = reader?.transcript?.opener?.end ?? null;
    return {
      ...shared,
      createdAtMs: content.createdAtMs,
      text: reader?.text ?? '',
      reasoning: reader?.reasoning ?? '',
      state: this.#state(question),
      model: end?.model ?? queued?.operation.shown?.model ?? null,
      engine: end?.engine ?? queued?.operation.shown?.engine ?? null,
      usage: end?.usage ?? null,
      protection: null,
    };
  }

  #state({ content: { turnId, replyItemId }, queued }: Question): ReplyState {
    const { contents, tracker, progress } = this.#dependencies;
    // It is there, and only this build cannot show it.
    if (contents.unreadable.has(replyItemId)) return { kind: 'unsent', failure: { code: 'other-version' } };
    const reader = tracker.reader(turnId);
    if (reader?.transcript !== null && reader?.transcript !== undefined) return reader.state;
    if (queued !== null) {
      const { stage } = queued.operation;
      if (stage.name === 'failed') return { kind: 'unsent', failure: stage.failure as VaultFailure };
      if (stage.name === 'stopped') return { kind: 'ended', outcome: 'stopped', code: null, endedEarly: false };
      return { kind: progress(turnId) ?? 'connecting' };
    }
    switch (tracker.known(turnId)) {
      case 'running':
        return { kind: 'waiting' };
      case 'with-transcript':
        // None of them opens: not a reply to this question.
        return reader?.isUnreadable === true ? { kind: 'missing' } : { kind: 'waiting' };
      case 'without-transcript':
        return { kind: 'missing' };
      case null:
        return tracker.isChecked(turnId) ? { kind: 'missing' } : { kind: 'connecting' };
    }
  }

  #asked({ id, content, stored }: Question): UserMessage {
    const { parentId, createdAtMs, text, turnId } = content;
    return { role: 'user', id, parentId, createdAtMs, text, turnId, stored, notesBefore: [] };
  }

  #notes(conversationId: string, ordered: readonly Question[]): Notes {
    const { contents, minimums } = this.#dependencies;
    const turns = ordered.map(({ content: { turnId, createdAtMs }, queued }) => ({
      turnId,
      createdAtMs,
      shown: queued?.operation.shown ?? null,
    }));
    return findNotes({ contents, said: minimums.said(conversationId), account: minimums.account() }, turns);
  }

  #summary(id: string, title: string | null, createdAtMs: number, stored: boolean): ConversationSummary {
    let updatedAtMs = createdAtMs;
    let answering = false;
    for (const question of this.#questions(id)) {
      updatedAtMs = Math.max(updatedAtMs, question.content.createdAtMs);
      if (this.#dependencies.contents.rows.has(question.content.replyItemId)) continue;
      const { kind } = this.#state(question);
      answering ||= kind === 'sealing' || kind === 'connecting' || kind === 'waiting' || kind === 'streaming';
    }
    return { id, title: title === null ? null : withoutTurning(title), createdAtMs, updatedAtMs, answering, stored };
  }

  #questions(conversationId: string): Question[] {
    const { contents, outbox } = this.#dependencies;
    const questions: Question[] = [];
    for (const id of contents.messages.idsOf(conversationId)) {
      const content = contents.messages.get(id);
      if (content !== undefined) questions.push({ id, content, stored: true, queued: outbox.turn(content.turnId) });
    }
    for (const queued of outbox.turns) {
      const { operation } = queued;
      if (operation.conversationId !== conversationId || contents.rows.has(operation.messageId)) continue;
      questions.push({ id: operation.messageId, content: operation, stored: false, queued });
    }
    return questions;
  }

  #question(turnId: string): Question | null {
    const { contents, outbox } = this.#dependencies;
    const stored = contents.messages.ofTurn(turnId);
    const queued = outbox.turn(turnId);
    if (stored !== null) return { id: stored.id, content: stored.message, stored: true, queued };
    return queued === null
      ? null
      : { id: queued.operation.messageId, content: queued.operation, stored: false, queued };
  }

  /** The question that an id is of, or whose reply has it. */
  #questionAt(id: string): Question | null {
    const { contents, outbox } = this.#dependencies;
    const turnId =
      contents.messages.get(id)?.turnId ??
      contents.messages.ofReply(id)?.turnId ??
      outbox.turns.find(({ operation }) => operation.messageId === id || operation.replyItemId === id)?.operation
        .turnId;
    return turnId === undefined ? null : this.#question(turnId);
  }

  /** Depth first, older branch first; of a question that was asked again only the newest. */
  #ordered(conversationId: string): Question[] {
    const questions = this.#questions(conversationId);
    const places = new Set(questions.flatMap(({ id, content }) => [id, content.replyItemId]));
    const children = new Map<string | null, Question[]>();
    for (const question of questions) {
      const { parentId } = question.content;
      // A message whose parent is not here is not lost with it.
      const place = parentId !== null && places.has(parentId) ? parentId : null;
      children.set(place, [...(children.get(place) ?? []), question]);
    }
    const ordered: Question[] = [];
    const pending = siblingsInOrder(children.get(null) ?? []).toReversed();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { question, isAskedAgain } = next;
      if (!isAskedAgain) ordered.push(question);
      const below = [...(children.get(question.id) ?? []), ...(children.get(question.content.replyItemId) ?? [])];
      pending.push(...siblingsInOrder(below).toReversed());
    }
    return ordered;
  }
}

/** By time; siblings of the same words are one question asked again, and the newest of them counts. */
function siblingsInOrder(
  siblings: readonly Question[],
): { readonly question: Question; readonly isAskedAgain: boolean }[] {
  const sorted = siblings.toSorted((a, b) => a.content.createdAtMs - b.content.createdAtMs || (a.id < b.id ? -1 : 1));
  const newest = new Map(sorted.map((question) => [question.content.text, question]));
  return sorted.map((question) => ({ question, isAskedAgain: newest.get(question.content.text) !== question }));
}
