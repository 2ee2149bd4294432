import type { TurnOperation } from '../changes/operation.ts';
import type { Outbox } from '../changes/outbox.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { VaultWriter } from '../changes/vault-writer.ts';
import type { VerifiedEnclave } from './verified-enclave.ts';

export type LaterVerificationParts = {
  readonly outbox: Pick<Outbox, 'put'>;
  readonly store: Pick<VaultStore, 'contents'>;
  readonly writer: Pick<VaultWriter, 'kick'>;
};

/**
 * Keeps what a question is sealed on now, before it is sent again: its stored message names what it was first sealed on,
 * and is never changed. The turn gets an item of its own, whatever other turns rest on (SPEC.md §9.10).
 */
export async function keepLaterVerification(
  { outbox, store, writer }: LaterVerificationParts,
  { turnId }: Pick<TurnOperation, 'turnId'>,
  { verification }: Pick<VerifiedEnclave, 'verification'>,
): Promise<void> {
  if (verification === null) return;
  const { contents } = store;
  const itemId = verification.laterItemId(turnId);
  const rests = contents.verificationOf(turnId)?.id;
  if (rests === verification.itemId || contents.rows.has(itemId)) return;
  await outbox.put({ kind: 'verification', itemId, content: { ...verification.content, turnId } });
  writer.kick();
}
