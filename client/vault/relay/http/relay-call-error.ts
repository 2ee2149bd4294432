import type { ErrorCode } from '../../../../crypto/protocol/messages/error-codes.ts';

/** A call did not get to the relay, or nothing shows that its answer is the relay's: nobody may say that the relay said this. */
const wayCodes = [
  /** No answer, or a proxy says that it does not reach the relay behind it. */
  'relay-unreachable',
  /** A proxy, a firewall or the log-in page of a network answered in the relay's place. */
  'foreign-answer',
  /** The same, because of the size of what was sent. */
  'too-large-on-the-way',
  /** The same, because of many calls in a short time. */
  'too-many-on-the-way',
  /** An answer that is in no form of this build's: of a relay of another version, or of somebody in its place. Never used, never shown. */
  'malformed-answer',
] as const;
export type WayCode = (typeof wayCodes)[number];

/** Everything that a call can come to: a code of the relay, and what stands in place of one. */
export type RelayCallCode = ErrorCode | WayCode;

/** Tells whether nothing was heard of the relay itself. */
export function isWayCode(code: RelayCallCode): code is WayCode {
  return (wayCodes as readonly string[]).includes(code);
}

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
