import type { Outbox } from './outbox.ts';
import { prunableItems } from './plan-batch.ts';
import type { VaultContents } from '../store/vault-contents.ts';

/** Tombstones that are worth a batch, and for devices that were away a sync from the beginning. */
const pruneWorthwhile = 500;

/** What any device does for the account once it is up to date. */
export async function keepHouse(contents: VaultContents, outbox: Outbox, nowMs: number): Promise<void> {
  for (const conversationId of halfDeleted(contents, outbox)) await outbox.put({ kind: 'delete', conversationId });
  const waiting = new Set(outbox.all.map(({ operation }) => operation.kind));
  // A deletion takes them with it.
  const isDropping = waiting.has('delete') || waiting.has('drop-verifications');
  if (!isDropping && hasLeftVerifications(contents)) await outbox.put({ kind: 'drop-verifications' });
  const isPruning = waiting.has('prune');
  if (!isPruning && prunableItems(contents, nowMs).length >= pruneWorthwhile) await outbox.put({ kind: 'prune' });
}

/** Whether there are verifications that nothing names. What this build does not know may name one. */
function hasLeftVerifications(contents: VaultContents): boolean {
  const { conversations, messages, replies, notes, settings, verifications } = contents;
  const known = [conversations, messages, replies, notes, settings, verifications];
  for (const id of contents.rows.keys()) {
    if (contents.isLive(id) && !known.some((map) => map.has(id))) return false;
  }
  return [...verifications.keys()].some((id) => contents.turnsOf(id).length === 0);
}

/** Conversations whose deletion some device began and did not finish. */
function halfDeleted(contents: VaultContents, outbox: Outbox): ReadonlySet<string> {
  const found = new Set<string>();
  const parts = [...contents.messages.values(), ...contents.unreadable.values()];
  for (const { conversationId } of parts) {
    if (conversationId === null) continue;
    if (contents.rows.has(conversationId) && !contents.isLive(conversationId)) found.add(conversationId);
  }
  // What is noted of an answer came with it, so its conversation was there. An older build leaves it behind.
  for (const { conversationId } of contents.notes.values()) {
    if (!contents.isLive(conversationId)) found.add(conversationId);
  }
  for (const { operation } of outbox.all) if (operation.kind === 'delete') found.delete(operation.conversationId);
  return found;
}
