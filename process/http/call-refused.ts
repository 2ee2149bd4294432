/** A refusal of a call: a code of a closed list is the whole answer (SPEC.md §11). Anything else that is thrown is a defect. */
export class CallRefused<Code extends string> extends Error {
  override readonly name: string = 'CallRefused';
  readonly code: Code;
  /** For `Retry-After`. */
  readonly retryAfterSeconds: number | null;

  constructor(code: Code, retryAfterSeconds: number | null = null) {
    super(code);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
