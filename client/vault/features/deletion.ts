import { idField } from '../../../crypto/protocol/messages/fields.ts';
import type { BatchInProgress } from '../changes/operations/batch-in-progress.ts';
import { dropVerifications } from '../changes/outbox/housekeeping.ts';
import { operationType } from '../changes/operations/operation.ts';
import { isOf, isTurn, type Outbox } from '../changes/outbox/outbox.ts';
import type { VaultContents } from '../store/vault-contents.ts';
import { underVaultLock } from '../surroundings/vault-lock.ts';
import { feature, type FeatureVault } from './feature.ts';

const deleteOperation = operationType({
  kind: 'delete',
  fields: { conversationId: idField },
  idOf: ({ conversationId }) => `delete:${conversationId}`,
  apply: (plan, { conversationId }, { waiting }) =>
    waiting.has(conversationId) ? false : buryConversation(plan, conversationId),
  deletes: ({ conversationId }) => conversationId,
});

/** Deletes a conversation with all that is in it. */
export const deletion = feature({
  operations: [deleteOperation],
  commands: (vault: FeatureVault) => ({
    deleteConversation: async ({ conversationId }: { readonly conversationId: string }): Promise<void> => {
      stopReplies(vault, conversationId);
      await deleteConversation(vault, conversationId);
    },
  }),
  chores: [
    async ({ store, outbox }) => {
      for (const conversationId of halfDeleted(store.contents, outbox)) {
        await outbox.put(deleteOperation, { conversationId });
      }
    },
  ],
});

/** Nobody will read what is still being written; whether it could be stopped changes nothing. */
function stopReplies({ tracker, store, driver }: FeatureVault, conversationId: string): void {
  for (const turnId of tracker.turnIds) {
    if (store.contents.messages.ofTurn(turnId)?.message.conversationId !== conversationId) continue;
    driver.stop(turnId).catch(() => undefined);
  }
}

/** Its questions that are still here go at once; under the lock none of them is being stored. */
async function deleteConversation({ outbox, locks }: FeatureVault, conversationId: string): Promise<void> {
  await underVaultLock(locks, async () => {
    let isDone = false;
    // Again where one of them was changed just now: all that is here goes, or nothing.
    while (!isDone) {
      await outbox.load();
      const replaced = outbox.all.filter(
        (queued) =>
          (isTurn(queued) && queued.operation.conversationId === conversationId) ||
          queued.type.conversation?.(queued.operation).id === conversationId,
      );
      isDone = await outbox.replace(replaced, deleteOperation, { conversationId });
    }
  });
}

/** The conversation first, so that it is gone at once; its messages with it, and what other devices added meanwhile. */
function buryConversation(plan: BatchInProgress, conversationId: string): boolean {
  const { contents } = plan;
  plan.bury(conversationId);
  for (const messageId of contents.messages.idsOf(conversationId)) {
    if (!plan.hasRoomToBury) return false;
    const message = contents.messages.get(messageId);
    if (message === undefined) continue;
    if (contents.isLive(message.replyItemId)) plan.bury(message.replyItemId);
    else plan.finishTurn(message.turnId);
    plan.bury(messageId);
  }
  for (const id of [...contents.replyNotes.idsOf(conversationId), ...contents.unreadable.idsOf(conversationId)]) {
    if (!plan.hasRoomToBury) return false;
    plan.bury(id);
  }
  return dropVerifications(plan);
}

/** Conversations whose deletion some device began and did not finish. */
function halfDeleted(contents: VaultContents, outbox: Outbox): ReadonlySet<string> {
  const found = new Set<string>();
  const parts = [...contents.messages.values(), ...contents.unreadable.values()];
  for (const { conversationId } of parts) {
    if (conversationId === null) continue;
    if (contents.rows.has(conversationId) && !contents.isLive(conversationId)) found.add(conversationId);
  }
  // The note of a reply came with it, so its conversation was there. An older build leaves the note behind.
  for (const { conversationId } of contents.replyNotes.values()) {
    if (!contents.isLive(conversationId)) found.add(conversationId);
  }
  for (const queued of outbox.all) if (isOf(deleteOperation, queued)) found.delete(queued.operation.conversationId);
  return found;
}
