import type { AcceptName, EngineKind } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ReplyCause, ReplyNote } from '../../../crypto/protocol/contents/reply-note.ts';
import type { PlainContent, ReplyEnd } from '../../../crypto/protocol/contents/request-content.ts';

/** An engine is asked this: the words of a request without its keys. */
export type Question = Pick<PlainContent, 'messages' | 'parameters' | 'cacheSalt'>;

/** An engine says these, piece by piece. `length`: it stopped at a limit of tokens. */
export type EngineEvent =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  | { readonly kind: 'note'; readonly note: ReplyNote }
  | { readonly kind: 'usage'; readonly promptTokens: number; readonly replyTokens: number }
  | { readonly kind: 'length' };

export type EngineFailureCode = NonNullable<ReplyEnd['code']>;

/** The code of END for each cause: what a reader learns that does not know causes. */
const codeOfCause: Readonly<Record<ReplyCause, EngineFailureCode>> = {
  'model-loading': 'too-many-turns',
  'model-overloaded': 'too-many-turns',
  'quota-spent': 'model-refused',
  'key-refused': 'model-refused',
  'model-unknown': 'model-refused',
  'request-too-large': 'model-refused',
  'content-refused': 'model-refused',
  'server-failed': 'model-failed',
  'not-a-model-server': 'model-failed',
  'salt-refused': 'model-refused',
  'answer-cut': 'model-failed',
  'answer-unreadable': 'model-failed',
  'no-answer': 'model-failed',
};

/** An engine's failure: codes from fixed lists, and nothing of what an upstream said, which can repeat the prompt. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineFailureCode;
  /** Finer than the code, where more is known. */
  override readonly cause: ReplyCause | undefined;

  constructor(reason: EngineFailureCode | ReplyCause) {
    super(reason);
    const isCause = isReplyCause(reason);
    this.code = isCause ? codeOfCause[reason] : reason;
    this.cause = isCause ? reason : undefined;
  }
}

function isReplyCause(reason: EngineFailureCode | ReplyCause): reason is ReplyCause {
  return Object.hasOwn(codeOfCause, reason);
}

/** Whatever answers questions. Engines know no keys, no turns and no frames. */
export interface Engine {
  readonly kind: EngineKind;
  /** Clients ask for this name, and statements give it. */
  readonly model: string;
  /** SHA-256 of the weights (base64url), where the engine can know it. */
  readonly weightsDigest: string | null;
  /** How many questions it takes at a time. */
  readonly capacity: number;
  /** The engine takes these beyond words. The pace of frames is the worker's. */
  readonly accepts: readonly Exclude<AcceptName, 'fast'>[];
  /** How much the model reads, question and reply together; null where nobody says. */
  readonly contextTokens: number | null;
  /**
   * Answers lazily: nothing is read ahead of the consumer but what a socket holds. When the signal fires, the iteration
   * ends or throws, and the work behind it stops.
   *
   * @throws {EngineError}
   */
  answer(question: Question, signal: AbortSignal): AsyncIterable<EngineEvent>;
  close(): Promise<void>;
}
