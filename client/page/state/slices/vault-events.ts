import { createAction } from '@reduxjs/toolkit';
import type { FailureCode, VaultEvent } from '../../../vault/api/vault-api.ts';

/** Every word of the Worker enters the store here; each slice takes the types that concern it. */
export const vaultEventReceived = createAction<VaultEvent>('vault/event');

/** The Worker was asked to start. */
export const vaultStarting = createAction('vault/starting');

/** The Worker could not start or broke, and why: nothing works without it. */
export const vaultBroken = createAction<FailureCode>('vault/broken');

/** No account is open any more: whatever holds words of one must let go of them. */
export function endsAccount(event: VaultEvent): boolean {
  return event.type === 'session' && event.status !== 'unlocked';
}
