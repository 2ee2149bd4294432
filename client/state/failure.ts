import type { FailureCode, VaultFailure } from '../vault/vault-api.ts';

const codes: ReadonlySet<string> = new Set<Exclude<FailureCode, `relay:${string}`>>([
  'sign-in-failed',
  'name-taken',
  'invalid-user-name',
  'weak-password',
  'invalid-phrase',
  'sign-up-closed',
  'too-many-attempts',
  'relay-unreachable',
  'session-ended',
  'server-key-changed',
  'vault-tampered',
  'vault-rolled-back',
  'evidence-refused',
  'enclave-changed',
  'enclave-unreachable',
  'enclave-starting',
  'quota-exceeded',
  'not-stored',
  'message-too-long',
  'storage-unavailable',
  'cache-damaged',
  'other-version',
  'newer-keys',
]);

/** What a call to the vault came to: components branch on it and never catch. */
export type VaultResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: VaultFailure };

function isFailureCode(code: unknown): code is FailureCode {
  return typeof code === 'string' && (codes.has(code) || /^relay:[a-z-]{1,64}$/.test(code));
}

/** A rejection of the vault, whatever the Worker's channel made of it. Anything unknown becomes one code. */
export function toVaultFailure(reason: unknown): VaultFailure {
  if (typeof reason === 'object' && reason !== null) {
    const { code, message, retryAfterMs } = reason as { code?: unknown; message?: unknown; retryAfterMs?: unknown };
    // An Error loses its own fields between threads, its message stays.
    const known = [code, message].find(isFailureCode);
    if (known !== undefined) return typeof retryAfterMs === 'number' ? { code: known, retryAfterMs } : { code: known };
  }
  return { code: 'relay:internal-error' };
}
