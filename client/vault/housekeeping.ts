import type { Outbox } from './outbox.ts';
import { prunableItems } from './plan-batch.ts';
import type { VaultContents } from './vault-contents.ts';

/** Tombstones that are worth a batch, and for devices that were away a sync from the beginning. */
const pruneWorthwhile = 500;

/** What any device does for the account once it is up to date. */
export async function keepHouse(contents: VaultContents, outbox: Outbox, nowMs: number): Promise<void> {
  for (const conversationId of halfDeleted(contents, outbox)) await outbox.put({ kind: 'delete', conversationId });
  const isPruning = outbox.all.some(({ operation }) => operation.kind === 'prune');
  if (!isPruning && prunableItems(contents, nowMs).length >= pruneWorthwhile) await outbox.put({ kind: 'prune' });
}

/** Conversations whose deletion some device began and did not finish. */
function halfDeleted(contents: VaultContents, outbox: Outbox): ReadonlySet<string> {
  const found = new Set<string>();
  const parts = [...contents.messages.values(), ...contents.unreadable.values()];
  for (const { conversationId } of parts) {
    if (conversationId === null) continue;
    if (contents.rows.has(conversationId) && !contents.isLive(conversationId)) found.add(conversationId);
  }
  for (const { operation } of outbox.all) if (operation.kind === 'delete') found.delete(operation.conversationId);
  return found;
}
