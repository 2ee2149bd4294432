import { tombstoneFlag } from '../../../../crypto/protocol/messages/item-messages.ts';
import { BatchInProgress, type PlannedWrite } from '../operations/batch-in-progress.ts';
import type { TurnOperation } from '../operations/turn-operation.ts';
import { isTurn, type QueuedOperation } from '../outbox/outbox.ts';
import { placeTurn } from '../operations/plan-turn.ts';
import type { VaultContents } from '../../store/vault-contents.ts';

export type BatchPlan = {
  readonly writes: readonly PlannedWrite[];
  readonly finishTurns: readonly string[];
  readonly prune: readonly string[];
  /** Done once this batch is stored, or with nothing left to do. */
  readonly settled: readonly QueuedOperation[];
  /** Questions never stored, that nobody drives and whose conversation is gone: their words go back to who wrote them. */
  readonly displaced: readonly QueuedOperation<TurnOperation>[];
};

/**
 * Turns the waiting operations into writes on top of what is stored now. It is pure and runs again on newer contents after each
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
  const isDeletion = ({ type }: QueuedOperation) => type.deletes !== undefined;
  const ordered = [...operations.filter(isDeletion), ...operations.filter((queued) => !isDeletion(queued))];
  for (const queued of ordered) {
    if (isDisplaced(contents, queued)) {
      // Once stored it went with its conversation, as whoever deleted that wanted.
      if (contents.rows.has(queued.operation.messageId)) settled.push(queued);
      else displaced.push(queued);
      continue;
    }
    const isDone = plan.fit(() => queued.type.apply(plan, queued.operation, { waiting, nowMs }));
    if (isDone === null && !plan.isEmpty) break;
    // A reply that fits into no batch at all is not made compact: it is read from its transcript as before.
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
  if (!isTurn(queued) || queued.operation.stage.name === 'going') return false;
  return placeTurn(contents, queued.operation) === 'deleted';
}

/** True for an operation that waits neither for a person nor for an enclave. */
export function isForWriter(contents: VaultContents, queued: QueuedOperation): boolean {
  return !isTurn(queued) || queued.operation.stage.name === 'stopped' || isDisplaced(contents, queued);
}

/** Conversations that only a question still on its way will bring. */
function conversationsWaiting(contents: VaultContents, operations: readonly QueuedOperation[]): ReadonlySet<string> {
  const waiting = new Set<string>();
  for (const { operation } of operations.filter(isTurn)) {
    if (operation.newConversation === null) continue;
    if (!contents.rows.has(operation.conversationId)) waiting.add(operation.conversationId);
  }
  return waiting;
}

/** Flags of a planned write. */
export function flagsOf(write: PlannedWrite): number {
  return write.content === null ? tombstoneFlag : 0;
}
