/** The codes of SPEC.md §12 that this reader gives, and `stop` where the page says that a whole sign-in or sync stops. */
export type RefusalCode =
  | 'open-failed'
  | 'malformed'
  | 'unsupported-version'
  | 'unsupported-suite'
  | 'too-long'
  | 'invalid-user-name'
  | 'invalid-phrase'
  | 'invalid-argument'
  | 'unknown-key'
  | 'out-of-order'
  | 'stream-ended'
  | 'evidence-refused'
  | 'stop';

/** One class of error, a code, nothing of the input. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode) {
    super(code);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** Ends an operation with a code. A declaration, so that the compiler knows that nothing comes after it. */
export function refuse(code: RefusalCode): never {
  throw new Refusal(code);
}
