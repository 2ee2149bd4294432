import { maximumBatchLength, tombstoneFlag } from '../../../crypto/protocol/messages/item-messages.ts';
import { BatchInProgress, type PlannedWrite } from './batch-in-progress.ts';
import type { Operation, TurnOperation } from './operation.ts';
import type { QueuedOperation } from './outbox.ts';
import { changeSettings, newestSettings, withMinimum, withTitle } from './plan-settings.ts';
import { placeTurn, stoppedReply, turnWrites } from './plan-turn.ts';
import { isTombstone, type VaultContents } from '../store/vault-contents.ts';

export type BatchPlan = {
  readonly writes: readonly PlannedWrite[];
  readonly finishTurns: readonly string[];
  readonly prune: readonly string[];
  /** Done once this batch is stored, or with nothing left to do. */
  readonly settled: readonly QueuedOperation[];
  /** Questions never stored, that nobody drives and whose conversation is gone: their words go back to who wrote them. */
  readonly displaced: readonly QueuedOperation<TurnOperation>[];
};

const pruneAfterMs = 30 * 86_400_000;

/**
 * What the waiting operations come to on top of what is stored now: pure, and run again on newer contents after each
 * conflict, which is the whole merge. A field belongs to its last writer, a message is never changed, a tombstone wins.
 *
 * @param nowMs - Decides only how old a tombstone must be to be forgotten.
 */
export function planBatch(contents: VaultContents, operations: readonly QueuedOperation[], nowMs: number): BatchPlan {
  const plan = new BatchInProgress(contents);
  const settled: QueuedOperation[] = [];
  const displaced: QueuedOperation<TurnOperation>[] = [];
  const waiting = conversationsWaiting(contents, operations);
  // Deletions first: nothing of the same batch may write into what they take away.
  const isDeletion = ({ operation }: QueuedOperation) => operation.kind === 'delete';
  const ordered = [...operations.filter(isDeletion), ...operations.filter((queued) => !isDeletion(queued))];
  for (const queued of ordered) {
    if (isDisplaced(contents, queued)) {
      // Once stored it went with its conversation, as whoever deleted that wanted.
      if (contents.rows.has(queued.operation.messageId)) settled.push(queued);
      else displaced.push(queued);
      continue;
    }
    const isDone = plan.fit(() => applyOperation(plan, queued.operation, { waiting, nowMs }));
    if (isDone === null && !plan.isEmpty) break;
    // An answer that fits into no batch at all is not made compact: it is read from its transcript as before.
    if (isDone !== false) settled.push(queued);
  }
  const { writes, finishTurns, prune } = plan;
  return { writes, finishTurns, prune, settled, displaced };
}

/** Its conversation is gone. One on its way is given back by who drives it. */
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
function applyOperation(plan: BatchInProgress, operation: Operation, { waiting, nowMs }: Circumstances): boolean {
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
    case 'drop-verifications':
      return dropVerifications(plan);
    case 'prune':
      return applyPrune(plan, nowMs);
    case 'turn':
      return operation.stage.name === 'stopped' ? applyStoppedTurn(plan, operation) : false;
  }
}

function applyToConversation(
  plan: BatchInProgress,
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
function applyDelete(plan: BatchInProgress, conversationId: string): boolean {
  const { contents } = plan;
  plan.bury(conversationId);
  for (const messageId of contents.messageIds(conversationId)) {
    if (!plan.hasRoomToBury) return false;
    const message = contents.messages.get(messageId);
    if (message === undefined) continue;
    if (contents.isLive(message.replyItemId)) plan.bury(message.replyItemId);
    else plan.finishTurn(message.turnId);
    plan.bury(messageId);
  }
  for (const id of [...contents.notesOf(conversationId), ...contents.unreadableOf(conversationId)]) {
    if (!plan.hasRoomToBury) return false;
    plan.bury(id);
  }
  return dropVerifications(plan);
}

/** Those that no turn rests on any more, of whatever conversation. */
function dropVerifications(plan: BatchInProgress): boolean {
  for (const id of plan.contents.verifications.keys()) {
    if (plan.isNamed(id)) continue;
    if (!plan.hasRoomToBury) return false;
    plan.bury(id);
  }
  return true;
}

/** A verification that a turn came to rest on after its message was stored. */
function applyVerification(plan: BatchInProgress, operation: Extract<Operation, { kind: 'verification' }>): boolean {
  const { itemId, content } = operation;
  const asked = plan.contents.messageOfTurn(content.turnId ?? '');
  if (asked === null || plan.contents.rows.has(itemId) || plan.isBuried(asked.id)) return true;
  plan.write(itemId, content);
  return true;
}

/** Two devices may both have made a settings item: the one of the smallest id is kept up. */
function applySettings(plan: BatchInProgress, operation: Extract<Operation, { kind: 'theme' | 'minimum' }>): boolean {
  const stored = plan.settings();
  const changed = changeSettings(newestSettings(stored.map(([, settings]) => settings)), operation);
  if (changed !== null) plan.write(stored[0]?.[0] ?? operation.itemId, changed);
  return true;
}

/** Whoever comes second finds the answer there and drops its own. */
function applyReply(plan: BatchInProgress, operation: Extract<Operation, { kind: 'reply' }>): boolean {
  const { itemId, content, note, title } = operation;
  const asked = plan.contents.messageOfTurn(content.turnId);
  if (asked === null || plan.contents.rows.has(itemId) || asked.message.replyItemId !== itemId) return true;
  const conversation = plan.conversation(content.conversationId);
  const isThere = conversation !== null || plan.contents.unreadable.has(content.conversationId);
  if (!isThere || plan.isBuried(asked.id)) return true;
  plan.write(itemId, content);
  // In the same batch: who comes second drops both.
  if (note !== undefined) plan.write(note.itemId, note.content);
  plan.finishTurn(content.turnId);
  // Later than the first one, and earlier than any that a person gives.
  if (title !== null && conversation !== null && conversation.title.setAtMs === conversation.createdAtMs) {
    plan.write(content.conversationId, {
      ...conversation,
      title: { value: title, setAtMs: conversation.createdAtMs + 1 },
    });
  }
  return true;
}

function applyPrune(plan: BatchInProgress, nowMs: number): boolean {
  for (const id of prunableItems(plan.contents, nowMs).slice(0, maximumBatchLength)) plan.forget(id);
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

function applyStoppedTurn(plan: BatchInProgress, operation: TurnOperation): boolean {
  const place = placeTurn(plan.contents, operation);
  // Given back, now or once the deletion in this batch is stored.
  if (place === 'deleted' || (place === 'there' && plan.conversation(operation.conversationId) === null)) return false;
  const { messageId, replyItemId, turnId } = operation;
  if (!plan.contents.rows.has(messageId)) {
    for (const write of turnWrites(place, operation)) plan.write(write.id, write.content);
  } else if (plan.contents.isLive(messageId) && !plan.contents.rows.has(replyItemId)) {
    plan.finishTurn(turnId);
  } else {
    return true;
  }
  plan.write(replyItemId, stoppedReply(operation));
  return true;
}

/** Flags of a planned write. */
export function flagsOf(write: PlannedWrite): number {
  return write.content === null ? tombstoneFlag : 0;
}
