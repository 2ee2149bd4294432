import type { TurnOperation } from '../changes/operations/turn-operation.ts';
import type { ShownContents } from '../changes/outbox/shown-contents.ts';
import type { TurnCompany } from '../changes/operations/plan-turn.ts';
import { isTombstone } from '../store/vault-contents.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { VerifiedEnclave } from '../enclave/verified-enclave.ts';
import { newId } from '../surroundings/new-id.ts';

/**
 * Collects the items that go with a question: waiting changes to its conversation, and the verification that it is sealed on.
 */
export function companyOf(
  { shown, store }: { readonly shown: Pick<ShownContents, 'changesOf'>; readonly store: VaultStore },
  { conversationId }: Pick<TurnOperation, 'conversationId'>,
  enclave: VerifiedEnclave,
): TurnCompany {
  const company: { -readonly [Name in keyof TurnCompany]: TurnCompany[Name] } = {
    change: shown.changesOf(conversationId),
  };
  const { verification } = enclave;
  if (verification !== null) {
    const row = store.contents.rows.get(verification.itemId);
    // Another device deleted it with the one conversation that it knew to rest on it.
    const isBuried = row !== undefined && isTombstone(row);
    const itemId = isBuried ? newId() : verification.itemId;
    company.verification = { ...verification, itemId, isStored: row !== undefined && !isBuried };
  }
  return company;
}
