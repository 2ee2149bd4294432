import type { VaultFailure } from '../../vault/api/vault-api.ts';
import { isFailureCode } from '../texts/of-values/failure-texts.ts';

/** The result of a call to the vault: components branch on it and never catch. */
export type VaultResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: VaultFailure };

/** A rejection of the vault, whatever the Worker's channel made of it. A failure without a name happened in this browser. */
export function toVaultFailure(reason: unknown): VaultFailure {
  if (typeof reason === 'object' && reason !== null) {
    const { code, message, retryAfterMs, unknownWords } = reason as Record<string, unknown>;
    // An Error loses its own fields between threads, its message stays.
    const known = [code, message].find(isFailureCode);
    if (known !== undefined) {
      return {
        code: known,
        ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
        ...(isNumbers(unknownWords) ? { unknownWords } : {}),
      };
    }
  }
  return { code: 'browser-failed' };
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}
