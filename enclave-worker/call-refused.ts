import type { ErrorCode } from '../crypto/protocol/messages/error-codes.ts';

/** A refusal of a call: its code is the whole answer. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}
