import { turnOperation } from '../changes/operations/plan-turn.ts';
import { replyOperation } from '../replies/compaction.ts';
import { feature, type FeatureVault } from './feature.ts';

type Place = { readonly conversationId: string | null };

/** Questions and their replies. */
export const asking = feature({
  operations: [turnOperation, replyOperation],
  commands: ({ turns, driver, watch, show }: FeatureVault) => ({
    /** Tells all messages and asks the relay for an enclave. `null`: a new chat. */
    openConversation: ({ conversationId }: Place): void => {
      show(conversationId);
      watch.start();
    },
    closeConversation: (): void => watch.stop(),
    /** Seals and sends; resolves once the message is kept in this browser, before the relay has it. */
    send: async (input: Place & { readonly text: string }) => {
      const { conversationId, turnId } = await turns.send(input.conversationId, input.text);
      show(conversationId);
      return { conversationId, turnId };
    },
    stop: ({ turnId }: { readonly turnId: string }): Promise<void> => driver.stop(turnId),
    /** Sends an unsent, cut-off or failed turn's question again, as a new turn. */
    retry: async (input: { readonly conversationId: string; readonly turnId: string }): Promise<void> => {
      const { conversationId } = await turns.retry(input.conversationId, input.turnId);
      show(conversationId);
    },
  }),
});
