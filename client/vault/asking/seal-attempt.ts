import type { TurnAttempt } from '../../../crypto/protocol/messages/turn-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { sealRequest, toMessage } from '../../../crypto/turn/sealed-request.ts';
import type { Conversations } from '../threads/conversations.ts';
import type { TurnOperation } from '../changes/operation.ts';
import { requestHistory } from '../exchange/request-history.ts';
import { VaultError } from '../failures/vault-error.ts';
import type { TurnRecipients } from './turn-recipients.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { VerifiedEnclave } from '../enclave/verified-enclave.ts';

export type SealParts = {
  readonly store: Pick<VaultStore, 'contents'>;
  readonly conversations: Pick<Conversations, 'exchangesBefore' | 'seen'>;
  readonly recipients: Pick<TurnRecipients, 'note'>;
};

/**
 * Seals a question, with what leads to it, to an enclave that was found good enough.
 *
 * @param nonce - Of the call that carries it; what the relay offers instead has to cover it.
 */
export async function sealAttempt(
  { store, conversations, recipients }: SealParts,
  operation: TurnOperation,
  enclave: VerifiedEnclave,
  nonce: string,
): Promise<TurnAttempt> {
  const { messages, leftOut } = requestHistory(conversations.exchangesBefore(operation.parentId), operation.text);
  conversations.seen.noteLeftOut(operation.turnId, leftOut);
  recipients.note(operation.turnId, enclave.publicKeys);
  const sealed = await sealRequest({
    header: {
      turnId: fromBase64Url(operation.turnId),
      model: enclave.model,
      frameClass: 'chat',
      expiresAtMs: enclave.expiresAtMs(),
    },
    content: {
      format: 1,
      turnKey: operation.turnKey,
      evidenceDigest: toBase64Url(enclave.evidenceDigest),
      cacheSalt: cacheSaltOf(store, operation),
      messages,
      parameters: {},
    },
    recipients: [...enclave.publicKeys],
  });
  return {
    format: 1,
    enclaveId: enclave.enclaveId,
    ...(enclave.alternateEnclaveId === null ? {} : { alternateEnclaveId: enclave.alternateEnclaveId }),
    nonce,
    request: toMessage(sealed),
  };
}

function cacheSaltOf({ contents }: SealParts['store'], operation: TurnOperation): string {
  const stored = contents.conversations.get(operation.conversationId)?.cacheSalt;
  const salt = stored ?? operation.newConversation?.cacheSalt;
  if (salt === undefined) throw new VaultError('vault-tampered');
  return salt;
}
