import type { EngineKind } from '../../crypto/messages/enclave-messages.ts';
import type { ReplyEnd, RequestContent } from '../../crypto/messages/request-content.ts';

/** What an engine is asked: the inside of a request without its keys. */
export type Question = Pick<RequestContent, 'messages' | 'parameters' | 'cacheSalt'>;

/** What an engine says, piece by piece. `length`: it stopped at a limit of tokens. */
export type EngineEvent =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  | { readonly kind: 'usage'; readonly promptTokens: number; readonly replyTokens: number }
  | { readonly kind: 'length' };

export type EngineFailureCode = NonNullable<ReplyEnd['code']>;

/** An engine's failure: a code from a fixed list, and nothing of what an upstream said, which can repeat the prompt. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineFailureCode;

  constructor(code: EngineFailureCode) {
    super(code);
    this.code = code;
  }
}

/** Whatever answers questions. Engines know no keys, no turns and no frames. */
export interface Engine {
  readonly kind: EngineKind;
  /** What clients ask for and statements name. */
  readonly model: string;
  /** SHA-256 of the weights (base64url), where the engine can know it. */
  readonly weightsDigest: string | null;
  /** How many questions it takes at a time. */
  readonly capacity: number;
  /**
   * Answers lazily: nothing is read ahead of the consumer but what a socket holds. When the signal fires, the iteration
   * ends or throws, and the work behind it stops.
   *
   * @throws {EngineError}
   */
  answer(question: Question, signal: AbortSignal): AsyncIterable<EngineEvent>;
  close(): Promise<void>;
}
