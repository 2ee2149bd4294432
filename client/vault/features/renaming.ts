import * as v from 'valibot';
import { maximumTitleLength } from '../../../crypto/protocol/contents/item-contents.ts';
import { isUnseen, withoutTurning } from '../../../crypto/protocol/contents/unseen-text.ts';
import { idField, timeMsField } from '../../../crypto/protocol/messages/fields.ts';
import { operationType } from '../changes/operations/operation.ts';
import { withTitle } from '../items/conversation.ts';
import { VaultError } from '../failures/vault-error.ts';
import { feature, type FeatureVault } from './feature.ts';
import { laterThan } from '../surroundings/clock.ts';

const renameOperation = operationType({
  kind: 'rename',
  fields: {
    conversationId: idField,
    title: v.pipe(v.string(), v.maxLength(maximumTitleLength)),
    setAtMs: timeMsField,
  },
  idOf: ({ conversationId }) => `rename:${conversationId}`,
  conversation: ({ conversationId, title, setAtMs }) => ({
    id: conversationId,
    change: (conversation) => withTitle(conversation, { value: title, setAtMs }),
  }),
});

/** A title that a person gives to a conversation. */
export const renaming = feature({
  operations: [renameOperation],
  commands: ({ outbox, shown, clock }: FeatureVault) => ({
    renameConversation: async (input: { readonly conversationId: string; readonly title: string }): Promise<void> => {
      const { conversationId } = input;
      const title = withoutTurning(input.title).replaceAll(/\s+/g, ' ').trim();
      if (isUnseen(title)) throw new VaultError('title-empty');
      if (title.length > maximumTitleLength) throw new VaultError('title-too-long');
      const setAtMs = laterThan(clock, [shown.conversation(conversationId)?.title.setAtMs ?? 0]);
      await outbox.put(renameOperation, { conversationId, title, setAtMs });
    },
  }),
});
