import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { isWayCode, RelayCallError } from '../relay/http/relay-call-error.ts';
import { type FailureCode, type RelayFailureCode, takenOver, type VaultFailure } from './failure-codes.ts';

/** Every way in which the vault fails: a code of `vault-api.ts` and nothing else. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: FailureCode;
  readonly retryAfterMs: number | null;
  readonly unknownWords: readonly number[];

  constructor(code: FailureCode, retryAfterMs: number | null = null, unknownWords: readonly number[] = []) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.unknownWords = unknownWords;
  }

  /** This browser keeps nothing any more, whatever the relay does. */
  get isOfStorage(): boolean {
    return this.code === 'storage-unavailable' || this.code === 'browser-storage-full';
  }
}

/** Relay failures that are also failures of the vault itself. */
const ownCodes: Partial<Record<RelayFailureCode, FailureCode>> = {
  ...Object.fromEntries(takenOver.map((code) => [code, code])),
  'too-many-requests': 'too-many-attempts',
  'too-large': 'message-too-long',
  'unsupported-version': 'other-version',
};

/** Any error as a code that the page has a text for; a message of an error is never shown (M34). */
export function toVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  if (error instanceof RelayCallError) {
    return new VaultError(relayCode(error), error.retryAfterMs);
  }
  if (error instanceof CryptoError) return new VaultError(cryptoCode(error));
  // The relay said nothing: an error that nobody foresaw is this browser's.
  return new VaultError(storageCode(error) ?? (isMissingScript(error) ? 'part-missing' : 'browser-failed'));
}

function relayCode({ code }: RelayCallError): FailureCode {
  return isWayCode(code) ? code : (ownCodes[code] ?? `relay:${code}`);
}

export function toVaultFailure(error: unknown): VaultFailure {
  const { code, retryAfterMs, unknownWords } = toVaultError(error);
  return {
    code,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    ...(unknownWords.length === 0 ? {} : { unknownWords }),
  };
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
    case 'invalid-argument':
      return 'browser-failed';
    default:
      return 'vault-tampered';
  }
}

const storageErrors = new Set([
  'DatabaseClosedError',
  'OpenFailedError',
  'MissingAPIError',
  'InvalidStateError',
  'UnknownError',
  'DataCloneError',
  'VersionError',
  'AbortError',
  'InvalidAccessError',
  // Site data are blocked: also what Web Locks and BroadcastChannel say then.
  'SecurityError',
]);

function storageCode(error: unknown): FailureCode | null {
  if (typeof error !== 'object' || error === null || !('name' in error)) return null;
  // Dexie aborts the transaction, and says inside why.
  const names = [error.name, 'inner' in error ? nameOf(error.inner) : null].map(String);
  if (names.includes('QuotaExceededError')) return 'browser-storage-full';
  return names.some((name) => storageErrors.has(name)) ? 'storage-unavailable' : null;
}

function nameOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'name' in error ? error.name : null;
}

/** `import()` rejects with a TypeError that only its words tell apart: Chromium and Firefox, then WebKit. */
function isMissingScript(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|importing a module script/i.test(error.message);
}
