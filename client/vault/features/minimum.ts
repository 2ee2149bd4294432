import { type ProtectionLevel, protectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { idField, timeMsField } from '../../../crypto/protocol/messages/fields.ts';
import { operationType } from '../changes/operations/operation.ts';
import { withAccountMinimum } from '../items/settings.ts';
import { withMinimum } from '../items/conversation.ts';
import type { MinimumView } from '../enclave/protection-views.ts';
import { feature, type FeatureVault } from './feature.ts';
import { newId } from '../surroundings/new-id.ts';

const minimumOperation = operationType({
  kind: 'minimum',
  fields: { level: protectionLevel, setAtMs: timeMsField, itemId: idField },
  settings: ({ level: value, setAtMs, itemId }) => ({
    itemId,
    change: (newest) => withAccountMinimum(newest, { value, setAtMs }),
  }),
});

const conversationMinimumOperation = operationType({
  kind: 'conversation-minimum',
  fields: { conversationId: idField, level: protectionLevel, setAtMs: timeMsField },
  idOf: ({ conversationId }) => `minimum:${conversationId}`,
  conversation: ({ conversationId, level: value, setAtMs }) => ({
    id: conversationId,
    change: (conversation) => withMinimum(conversation, { value, setAtMs }),
  }),
});

/** The level that an enclave must offer before anything is sealed to it. */
export const minimum = feature({
  operations: [minimumOperation, conversationMinimumOperation],
  commands: ({ outbox, minimums }: FeatureVault) => ({
    /** For the whole account; takes back what was set for a single conversation. */
    setMinimum: async ({ level }: { readonly level: ProtectionLevel }): Promise<void> => {
      const setAtMs = minimums.timeForAccount();
      minimums.setForNew(null);
      await outbox.put(minimumOperation, { level, setAtMs, itemId: newId() });
    },
    /** For one conversation alone, as an act of the person that the conversation remembers. `null`: the new chat. */
    setConversationMinimum: async (input: {
      readonly conversationId: string | null;
      readonly level: ProtectionLevel;
    }): Promise<void> => {
      const { conversationId, level } = input;
      const setAtMs = minimums.timeFor(conversationId);
      if (conversationId === null) minimums.setForNew({ value: level, setAtMs });
      else await outbox.put(conversationMinimumOperation, { conversationId, level, setAtMs });
    },
  }),
  views: { minimum: ({ protection }: FeatureVault): MinimumView => protection.minimum() },
});
