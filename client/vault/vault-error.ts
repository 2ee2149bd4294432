import { CryptoError } from '../../crypto/primitives/errors.ts';
import { RelayCallError, type RelayCallCode } from '../relay/relay-call-error.ts';
import type { FailureCode, VaultFailure } from './vault-api.ts';

/** Every way in which the vault fails: a code of `vault-api.ts` and nothing else. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: FailureCode;
  readonly retryAfterMs: number | null;

  constructor(code: FailureCode, retryAfterMs: number | null = null) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a call may come to that has a text of its own; every other code of the relay is shown as its word. */
const relayCodes: Partial<Record<RelayCallCode, FailureCode>> = {
  'relay-unreachable': 'relay-unreachable',
  'sign-in-failed': 'sign-in-failed',
  'session-ended': 'session-ended',
  'sign-up-closed': 'sign-up-closed',
  'name-taken': 'name-taken',
  'too-many-requests': 'too-many-attempts',
  'quota-exceeded': 'quota-exceeded',
  'too-large': 'message-too-long',
  'unsupported-version': 'other-version',
  'enclave-unreachable': 'enclave-unreachable',
  'enclave-starting': 'enclave-starting',
  'enclave-changed': 'enclave-changed',
};

/** Any error as a code that the page has a text for; a message of an error is never shown (M34). */
export function toVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  if (error instanceof RelayCallError) {
    return new VaultError(relayCodes[error.code] ?? `relay:${error.code}`, error.retryAfterMs);
  }
  if (error instanceof CryptoError) return new VaultError(cryptoCode(error));
  if (isStorageError(error)) return new VaultError('storage-unavailable');
  return new VaultError('relay:internal-error');
}

export function toVaultFailure(error: unknown): VaultFailure {
  const { code, retryAfterMs } = toVaultError(error);
  return retryAfterMs === null ? { code } : { code, retryAfterMs };
}

function cryptoCode(error: CryptoError): FailureCode {
  switch (error.code) {
    case 'invalid-user-name':
    case 'invalid-phrase':
    case 'evidence-refused':
      return error.code;
    case 'too-long':
      return 'message-too-long';
    case 'unsupported-version':
    case 'unsupported-suite':
      return 'other-version';
    case 'not-ready':
      return 'relay:not-ready';
    default:
      return 'vault-tampered';
  }
}

const storageErrors = new Set([
  'DatabaseClosedError',
  'OpenFailedError',
  'QuotaExceededError',
  'MissingAPIError',
  'InvalidStateError',
  'UnknownError',
  'DataCloneError',
  'VersionError',
  'AbortError',
  'InvalidAccessError',
]);

function isStorageError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('name' in error)) return false;
  return storageErrors.has(String(error.name));
}
