import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';

/** Codes of a failed call: the relay's own, and others for what can go wrong on the way. */
export type RelayCallCode =
  | ErrorCode
  /** No answer, or one of a proxy in between. */
  | 'relay-unreachable'
  /** An answer that is not one of ours: never used, never shown. */
  | 'malformed-answer'
  /** An error that no relay wrote: a proxy, a firewall or the log-in page of a network stands in between. */
  | 'foreign-answer'
  /** The same, because of the size of what was sent. */
  | 'too-large-on-the-way';

/** A call that did not bring what was asked for: a fixed code and none of the peer's words. */
export class RelayCallError extends Error {
  override readonly name = 'RelayCallError';
  readonly code: RelayCallCode;
  readonly retryAfterMs: number | null;
  /** The parsed JSON of an error, for the one code that carries more (`enclave-changed`). */
  readonly answer: unknown;

  constructor(code: RelayCallCode, more: { readonly retryAfterMs?: number | null; readonly answer?: unknown } = {}) {
    super(code);
    this.code = code;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.answer = more.answer ?? null;
  }
}
