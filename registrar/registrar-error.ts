import type { RegistrarErrorCode } from '../crypto/protocol/messages/registrar-messages.ts';

/** The one error that the registrar answers with: a code of the closed list and nothing else (SPEC.md §9.6). */
export class RegistrarError extends Error {
  override readonly name = 'RegistrarError';
  readonly code: RegistrarErrorCode;
  /** For `Retry-After`. */
  readonly retryAfterSeconds: number | null;

  constructor(code: RegistrarErrorCode, retryAfterSeconds: number | null = null) {
    super(code);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
