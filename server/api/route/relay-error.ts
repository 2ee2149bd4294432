import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';

/**
 * The one error that the relay answers with: a code of the closed list and nothing else (SPEC.md §11).
 *
 * Whatever else is thrown becomes `internal-error` at the edge.
 */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: ErrorCode;
  /** For `Retry-After`. */
  readonly retryAfterSeconds: number | null;

  constructor(code: ErrorCode, retryAfterSeconds: number | null = null) {
    super(code);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
