/** A caller can do one of these about an error: mend the input, try again later, or stop and tell the person. */
export type Advice = 'fix' | 'retry' | 'stop';

const advice = {
  /** Wrong key, wrong context and changed bytes alike: a peer never learns which. */
  'open-failed': 'stop',
  malformed: 'stop',
  'unsupported-version': 'stop',
  'unsupported-suite': 'stop',
  'too-long': 'fix',
  'invalid-user-name': 'fix',
  'invalid-phrase': 'fix',
  'invalid-argument': 'fix',
  'unknown-key': 'retry',
  'out-of-order': 'stop',
  'stream-ended': 'stop',
  'evidence-refused': 'stop',
  'not-ready': 'retry',
} as const satisfies Record<string, Advice>;

/** Every way in which `crypto/` fails. */
export type CryptoErrorCode = keyof typeof advice;

/** The one error class of `crypto/`: a stable code and nothing of the input. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode) {
    super(code);
    this.code = code;
  }

  get advice(): Advice {
    return advice[this.code];
  }
}
