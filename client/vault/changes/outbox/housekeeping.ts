import { maximumBatchLength } from '../../../../crypto/protocol/messages/item-messages.ts';
import { isTombstone, type VaultContents } from '../../store/vault-contents.ts';
import type { BatchInProgress } from '../operations/batch-in-progress.ts';
import { operationType } from '../operations/operation.ts';
import type { Outbox } from './outbox.ts';

/** Tombstones that are worth a batch, and a sync from the beginning for devices that were away for very long. */
const pruneWorthwhile = 500;
const pruneAfterMs = 30 * 86_400_000;

/** Buries what a deletion left that was not carried to its end. */
export const dropVerificationsOperation = operationType({
  kind: 'drop-verifications',
  fields: {},
  apply: (plan) => dropVerifications(plan),
});

/** Forgets the leaves of what was deleted long ago. */
export const pruneOperation = operationType({
  kind: 'prune',
  fields: {},
  apply: (plan, _operation, { nowMs }) => {
    for (const id of prunableItems(plan.contents, nowMs).slice(0, maximumBatchLength)) plan.forget(id);
    return true;
  },
});

/** Any device does this for the account once it is up to date. */
export async function keepHouse(contents: VaultContents, outbox: Outbox, nowMs: number): Promise<void> {
  const isWaiting = (kind: string) => outbox.all.some(({ operation }) => operation.kind === kind);
  // A deletion takes them with it.
  const isDropping = outbox.all.some(({ type }) => type.deletes !== undefined) || isWaiting('drop-verifications');
  if (!isDropping && hasLeftVerifications(contents)) await outbox.put(dropVerificationsOperation, {});
  const isPruning = isWaiting('prune');
  if (!isPruning && prunableItems(contents, nowMs).length >= pruneWorthwhile) await outbox.put(pruneOperation, {});
}

/** Buries those that no turn rests on any more, of whatever conversation. @returns false where the batch is full. */
export function dropVerifications(plan: BatchInProgress): boolean {
  for (const id of plan.contents.verifications.keys()) {
    if (plan.isNamed(id)) continue;
    if (!plan.hasRoomToBury) return false;
    plan.bury(id);
  }
  return true;
}

/** Looks for verifications that nothing names. An item that this build cannot read may still name one. */
function hasLeftVerifications(contents: VaultContents): boolean {
  for (const id of contents.rows.keys()) {
    if (contents.isLive(id) && !contents.readable.some((table) => table.has(id))) return false;
  }
  return [...contents.verifications.keys()].some((id) => contents.turnsOf(id).length === 0);
}

/** Tombstones that every device in use has seen by now; one that was away for longer reads the vault anew. */
export function prunableItems(contents: VaultContents, nowMs: number): string[] {
  const old = [];
  for (const row of contents.rows.values()) {
    if (isTombstone(row) && row.storedAtMs !== null && row.storedAtMs + pruneAfterMs < nowMs) old.push(row.id);
  }
  return old;
}
