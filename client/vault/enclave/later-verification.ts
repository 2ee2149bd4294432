import { verificationContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { idField } from '../../../crypto/protocol/messages/fields.ts';
import { operationType } from '../changes/operations/operation.ts';
import type { TurnOperation } from '../changes/operations/turn-operation.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { VaultWriter } from '../changes/writing/vault-writer.ts';
import type { VerifiedEnclave } from './verified-enclave.ts';

/** A verification that a turn came to rest on after its message was stored. */
export const verificationOperation = operationType({
  kind: 'verification',
  fields: { itemId: idField, content: verificationContent },
  idOf: ({ itemId }) => `verification:${itemId}`,
  apply: (plan, { itemId, content }) => {
    const asked = plan.contents.messages.ofTurn(content.turnId ?? '');
    if (asked === null || plan.contents.rows.has(itemId) || plan.isBuried(asked.id)) return true;
    plan.write(itemId, content);
    return true;
  },
});

export type LaterVerificationDependencies = {
  readonly outbox: Pick<Outbox, 'put'>;
  readonly store: Pick<VaultStore, 'contents'>;
  readonly writer: Pick<VaultWriter, 'kick'>;
};

/**
 * Keeps what a question is sealed on now, before it is sent again: its stored message names what it was first sealed on,
 * and is never changed. The turn gets an item of its own, whatever other turns rest on (SPEC.md §9.10).
 */
export async function keepLaterVerification(
  { outbox, store, writer }: LaterVerificationDependencies,
  { turnId }: Pick<TurnOperation, 'turnId'>,
  { verification }: Pick<VerifiedEnclave, 'verification'>,
): Promise<void> {
  if (verification === null) return;
  const { contents } = store;
  const itemId = verification.laterItemId(turnId);
  const rests = contents.verificationOf(turnId)?.id;
  if (rests === verification.itemId || contents.rows.has(itemId)) return;
  await outbox.put(verificationOperation, { itemId, content: { ...verification.content, turnId } });
  writer.kick();
}
