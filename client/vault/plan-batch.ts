import type { ConversationContent, ItemContent, SettingsContent } from '../../crypto/messages/item-contents.ts';
import { tombstoneFlag } from '../../crypto/messages/item-messages.ts';
import type { Operation, TurnOperation } from './operation.ts';
import type { QueuedOperation } from './outbox.ts';
import { changeSettings, newestSettings, withMinimum, withTitle } from './plan-settings.ts';
import { placeTurn, stoppedReply, turnWrites } from './plan-turn.ts';
import { isTombstone, type VaultContents } from './vault-contents.ts';

/** One item as it is to be stored; content null is a tombstone. */
export type PlannedWrite = {
  readonly id: string;
  readonly version: number;
  readonly content: ItemContent | null;
};

export type BatchPlan = {
  readonly writes: readonly PlannedWrite[];
  readonly finishTurns: readonly string[];
  readonly prune: readonly string[];
  /** Done once this batch is stored, or with nothing left to do. */
  readonly settled: readonly QueuedOperation[];
  /** Questions that nobody drives and whose conversation is gone: their words go back to who wrote them. */
  readonly displaced: readonly QueuedOperation<TurnOperation>[];
};

/** Half of what a batch may hold, so that a question fits in beside it. */
const maximumWrites = 240;
const pruneAfterMs = 30 * 86_400_000;

/**
 * What the waiting operations come to on top of what is stored now: pure, and run again on newer contents after each
 * conflict, which is the whole merge. A field belongs to its last writer, a message is never changed, a tombstone wins.
 *
 * @param nowMs - Decides only how old a tombstone must be to be forgotten.
 */
export function planBatch(contents: VaultContents, operations: readonly QueuedOperation[], nowMs: number): BatchPlan {
  const plan = new PlanInProgress(contents);
  const waiting = conversationsWaiting(contents, operations);
  // Deletions first: nothing of the same batch may write into what they take away.
  const isDeletion = ({ operation }: QueuedOperation) => operation.kind === 'delete';
  const ordered = [...operations.filter(isDeletion), ...operations.filter((queued) => !isDeletion(queued))];
  for (const queued of ordered) {
    if (plan.isFull) break;
    if (isDisplaced(contents, queued)) plan.displaced.push(queued);
    else if (applyOperation(plan, queued.operation, { waiting, nowMs })) plan.settled.push(queued);
  }
  return plan.finish();
}

/** One on its way is given back by who drives it. */
export function isDisplaced(
  contents: VaultContents,
  queued: QueuedOperation,
): queued is QueuedOperation<TurnOperation> {
  const { operation } = queued;
  if (operation.kind !== 'turn' || operation.stage.name === 'going') return false;
  return placeTurn(contents, operation) === 'deleted';
}

/** What does not wait for a person or an enclave. */
export function isForWriter(contents: VaultContents, queued: QueuedOperation): boolean {
  const { operation } = queued;
  return operation.kind !== 'turn' || operation.stage.name === 'stopped' || isDisplaced(contents, queued);
}

/** Conversations that only a question still on its way will bring. */
function conversationsWaiting(contents: VaultContents, operations: readonly QueuedOperation[]): ReadonlySet<string> {
  const waiting = new Set<string>();
  for (const { operation } of operations) {
    if (operation.kind !== 'turn' || operation.newConversation === null) continue;
    if (!contents.rows.has(operation.conversationId)) waiting.add(operation.conversationId);
  }
  return waiting;
}

type Circumstances = { readonly waiting: ReadonlySet<string>; readonly nowMs: number };

/** @returns whether nothing more is to be done for it. */
function applyOperation(plan: PlanInProgress, operation: Operation, { waiting, nowMs }: Circumstances): boolean {
  switch (operation.kind) {
    case 'rename':
    case 'conversation-minimum':
      return applyToConversation(plan, operation, waiting);
    case 'delete':
      return waiting.has(operation.conversationId) ? false : applyDelete(plan, operation.conversationId);
    case 'theme':
    case 'minimum':
      return applySettings(plan, operation);
    case 'verification':
      return applyVerification(plan, operation);
    case 'reply':
      return applyReply(plan, operation);
    case 'prune':
      return applyPrune(plan, nowMs);
    case 'turn':
      return operation.stage.name === 'stopped' ? applyStoppedTurn(plan, operation) : false;
  }
}

function applyToConversation(
  plan: PlanInProgress,
  operation: Extract<Operation, { kind: 'rename' | 'conversation-minimum' }>,
  waiting: ReadonlySet<string>,
): boolean {
  const { conversationId, setAtMs } = operation;
  const conversation = plan.conversation(conversationId);
  // What a later build wrote of it is not to be lost: a build that reads it carries this out.
  if (conversation === null) return !waiting.has(conversationId) && !plan.contents.unreadable.has(conversationId);
  const changed =
    operation.kind === 'rename'
      ? withTitle(conversation, { value: operation.title, setAtMs })
      : withMinimum(conversation, { value: operation.level, setAtMs });
  if (changed !== conversation) plan.write(conversationId, changed);
  return true;
}

/** The conversation first, so that it is gone at once; its messages with it, and what other devices added meanwhile. */
function applyDelete(plan: PlanInProgress, conversationId: string): boolean {
  const { contents } = plan;
  plan.bury(conversationId);
  for (const messageId of contents.messageIds(conversationId)) {
    if (plan.isFull) return false;
    const message = contents.messages.get(messageId);
    if (message === undefined) continue;
    if (contents.isLive(message.replyItemId)) plan.bury(message.replyItemId);
    else plan.finishTurns.add(message.turnId);
    plan.bury(messageId);
  }
  for (const id of contents.unreadableOf(conversationId)) {
    if (plan.isFull) return false;
    plan.bury(id);
  }
  for (const id of contents.verifications.keys()) if (!plan.isNamed(id)) plan.bury(id);
  return true;
}

/** A verification that a turn came to rest on after its message was stored. */
function applyVerification(plan: PlanInProgress, operation: Extract<Operation, { kind: 'verification' }>): boolean {
  const { itemId, content } = operation;
  const asked = plan.contents.messageOfTurn(content.turnId ?? '');
  if (asked === null || plan.contents.rows.has(itemId) || plan.isBuried(asked.id)) return true;
  plan.write(itemId, content);
  return true;
}

/** Two devices may both have made a settings item: the one of the smallest id is kept up. */
function applySettings(plan: PlanInProgress, operation: Extract<Operation, { kind: 'theme' | 'minimum' }>): boolean {
  const stored = plan.settings();
  const changed = changeSettings(newestSettings(stored.map(([, settings]) => settings)), operation);
  if (changed !== null) plan.write(stored[0]?.[0] ?? operation.itemId, changed);
  return true;
}

/** Whoever comes second finds the answer there and drops its own. */
function applyReply(plan: PlanInProgress, operation: Extract<Operation, { kind: 'reply' }>): boolean {
  const { itemId, content, title } = operation;
  const asked = plan.contents.messageOfTurn(content.turnId);
  if (asked === null || plan.contents.rows.has(itemId) || asked.message.replyItemId !== itemId) return true;
  const conversation = plan.conversation(content.conversationId);
  const isThere = conversation !== null || plan.contents.unreadable.has(content.conversationId);
  if (!isThere || plan.isBuried(asked.id)) return true;
  plan.write(itemId, content);
  plan.finishTurns.add(content.turnId);
  // Later than the first one, and earlier than any that a person gives.
  if (title !== null && conversation !== null && conversation.title.setAtMs === conversation.createdAtMs) {
    plan.write(content.conversationId, {
      ...conversation,
      title: { value: title, setAtMs: conversation.createdAtMs + 1 },
    });
  }
  return true;
}

function applyPrune(plan: PlanInProgress, nowMs: number): boolean {
  for (const id of prunableItems(plan.contents, nowMs).slice(0, maximumWrites)) plan.prune.add(id);
  return true;
}

/** Tombstones that every device in use has seen by now; one that was away for longer reads the vault anew. */
export function prunableItems(contents: VaultContents, nowMs: number): string[] {
  const old = [];
  for (const row of contents.rows.values()) {
    if (isTombstone(row) && row.storedAtMs !== null && row.storedAtMs + pruneAfterMs < nowMs) old.push(row.id);
  }
  return old;
}

function applyStoppedTurn(plan: PlanInProgress, operation: TurnOperation): boolean {
  const place = placeTurn(plan.contents, operation);
  // Given back, now or once the deletion in this batch is stored.
  if (place === 'deleted' || (place === 'there' && plan.conversation(operation.conversationId) === null)) return false;
  const { messageId, replyItemId, turnId } = operation;
  if (!plan.contents.rows.has(messageId)) {
    for (const write of turnWrites(place, operation)) plan.write(write.id, write.content);
  } else if (plan.contents.isLive(messageId) && !plan.contents.rows.has(replyItemId)) {
    plan.finishTurns.add(turnId);
  } else {
    return true;
  }
  plan.write(replyItemId, stoppedReply(operation));
  return true;
}

class PlanInProgress {
  readonly contents: VaultContents;
  readonly finishTurns = new Set<string>();
  readonly prune = new Set<string>();
  readonly settled: QueuedOperation[] = [];
  readonly displaced: QueuedOperation<TurnOperation>[] = [];
  readonly #writes = new Map<string, PlannedWrite>();

  constructor(contents: VaultContents) {
    this.contents = contents;
  }

  get isFull(): boolean {
    return this.#writes.size + this.prune.size >= maximumWrites;
  }

  /** As this batch will leave it. */
  conversation(id: string): ConversationContent | null {
    const written = this.#writes.get(id);
    if (written !== undefined) return written.content?.type === 'conversation' ? written.content : null;
    return this.contents.conversations.get(id) ?? null;
  }

  /** Settings items as this batch will leave them, by id. */
  settings(): [string, SettingsContent][] {
    const settings = new Map(this.contents.settings);
    for (const { id, content } of this.#writes.values()) if (content?.type === 'settings') settings.set(id, content);
    return [...settings].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Whether a turn that stays rests on this verification. */
  isNamed(verificationItemId: string): boolean {
    return this.contents.turnsOf(verificationItemId).some((messageId) => !this.isBuried(messageId));
  }

  write(id: string, content: ItemContent | null): void {
    const version = (this.contents.rows.get(id)?.version ?? 0) + 1;
    this.#writes.set(id, { id, version, content });
  }

  isBuried(id: string): boolean {
    return this.#writes.get(id)?.content === null;
  }

  /** Nothing that a batch does later brings it back. */
  bury(id: string): void {
    if (this.contents.isLive(id)) this.write(id, null);
    else this.#writes.delete(id);
  }

  finish(): BatchPlan {
    return {
      writes: [...this.#writes.values()],
      finishTurns: [...this.finishTurns],
      prune: [...this.prune].filter((id) => !this.#writes.has(id)),
      settled: this.settled,
      displaced: this.displaced,
    };
  }
}

/** Flags of a planned write. */
export function flagsOf(write: PlannedWrite): number {
  return write.content === null ? tombstoneFlag : 0;
}
