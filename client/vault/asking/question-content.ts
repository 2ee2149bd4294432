import type { TurnOperation } from '../changes/operations/turn-operation.ts';
import { requestHistory } from '../exchange/sending/request-history.ts';
import type { TurnQuestion } from '../exchange/sending/seal-attempt.ts';
import { VaultError } from '../failures/vault-error.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { Conversations } from '../threads/conversations.ts';

type Vault = {
  readonly store: Pick<VaultStore, 'contents'>;
  readonly conversations: Pick<Conversations, 'exchangesBefore' | 'seen'>;
};

/** The words of a question that are to be sealed, with what leads to them. @throws {VaultError} `vault-tampered`. */
export function contentOf({ store, conversations }: Vault, operation: TurnOperation): TurnQuestion {
  const { conversationId, newConversation, parentId, text, turnId, turnKey } = operation;
  const { messages, leftOut } = requestHistory(conversations.exchangesBefore(parentId), text);
  conversations.seen.noteLeftOut(turnId, leftOut);
  const cacheSalt = store.contents.conversations.get(conversationId)?.cacheSalt ?? newConversation?.cacheSalt;
  if (cacheSalt === undefined) throw new VaultError('vault-tampered');
  return { turnId, turnKey, cacheSalt, messages, parameters: {} };
}
