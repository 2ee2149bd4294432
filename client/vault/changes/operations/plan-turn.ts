import type {
  ConversationContent,
  ItemContent,
  VerificationContent,
} from '../../../../crypto/protocol/contents/item-contents.ts';
import type { BatchInProgress } from './batch-in-progress.ts';
import { operationType } from './operation.ts';
import type { ConversationChange } from './item-changes.ts';
import { protectionOf, turnFields, type TurnOperation } from './turn-operation.ts';
import type { VaultContents } from '../../store/vault-contents.ts';

/** The conversation of a question is there, or is to be made, or was deleted meanwhile. */
export function placeTurn(
  contents: VaultContents,
  operation: Pick<TurnOperation, 'conversationId' | 'newConversation'>,
): 'there' | 'new' | 'deleted' {
  const { conversationId } = operation;
  if (contents.conversations.has(conversationId) || contents.unreadable.has(conversationId)) return 'there';
  // A row without content is a tombstone; a missing row of a known conversation one that was forgotten since.
  if (contents.rows.has(conversationId) || operation.newConversation === null) return 'deleted';
  return 'new';
}

/** The verification that is stored with the first turn that rests on it. */
export type KeptVerification = {
  readonly itemId: string;
  /** Another id for each turn that came to rest on it after its message was stored. */
  readonly laterItemId: (turnId: string) => string;
  readonly content: VerificationContent;
};

export type TurnCompany = {
  /** The change made to the conversation before the relay had it. */
  readonly change?: ConversationChange['change'] | undefined;
  /** The verification that the question is sealed on; `isStored` when an earlier turn brought it. */
  readonly verification?: (KeptVerification & { readonly isStored: boolean }) | undefined;
};

/** The items of a question: itself, the conversation if it begins one, and the verification if it is the first to rest on it. */
export function turnWrites(
  place: 'there' | 'new',
  operation: TurnOperation,
  company: TurnCompany = {},
): { readonly id: string; readonly content: ItemContent }[] {
  const { conversationId } = operation;
  const { verification } = company;
  const message: ItemContent = {
    type: 'message',
    format: 1,
    conversationId,
    parentId: operation.parentId,
    createdAtMs: operation.createdAtMs,
    text: operation.text,
    turnId: operation.turnId,
    turnKey: operation.turnKey,
    replyItemId: operation.replyItemId,
    ...(verification === undefined ? {} : { verificationItemId: verification.itemId }),
  };
  const writes: { id: string; content: ItemContent }[] = [{ id: operation.messageId, content: message }];
  const first = place === 'new' ? firstConversation(operation, company.change) : null;
  if (first !== null) writes.unshift({ id: conversationId, content: first });
  if (verification !== undefined && !verification.isStored) {
    writes.push({ id: verification.itemId, content: verification.content });
  }
  return writes;
}

/** A conversation as its first question begins it, with what was done to it since; null for one that the relay has. */
export function firstConversation(
  { newConversation }: Pick<TurnOperation, 'newConversation'>,
  change: ConversationChange['change'] = (conversation) => conversation,
): ConversationContent | null {
  if (newConversation === null) return null;
  const { createdAtMs, cacheSalt, minimumProtection } = newConversation;
  const first = change({
    type: 'conversation',
    format: 1,
    createdAtMs,
    // Whatever a person gave is later, also where a clock was set back.
    title: { value: newConversation.title, setAtMs: 0 },
    cacheSalt,
    ...(minimumProtection === undefined ? {} : { minimumProtection }),
  });
  return first.title.setAtMs === 0 ? { ...first, title: { ...first.title, setAtMs: createdAtMs } } : first;
}

/** SHA-256 of nothing: no transcript was shown. */
const emptyTranscriptHash = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

/** The reply to a question that was stopped before the relay had it. */
export function stoppedReply(operation: TurnOperation): ItemContent {
  return {
    type: 'reply',
    format: 1,
    conversationId: operation.conversationId,
    parentId: operation.messageId,
    turnId: operation.turnId,
    createdAtMs: operation.createdAtMs,
    text: '',
    reasoning: '',
    outcome: 'stopped',
    transcriptHash: emptyTranscriptHash,
    model: operation.shown?.model ?? 'none',
    engine: operation.shown?.engine ?? 'none',
    protection: protectionOf(operation.shown),
    usage: null,
  };
}

/** The writer stores only a question that was stopped before the relay had it; every other question goes with its request. */
export const turnOperation = operationType({
  kind: 'turn',
  fields: turnFields,
  idOf: ({ turnId }) => `turn:${turnId}`,
  apply: (plan, operation) => (operation.stage.name === 'stopped' ? applyStoppedTurn(plan, operation) : false),
});

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
