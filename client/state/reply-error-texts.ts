import type { ReplyErrorCode } from '../../crypto/messages/request-content.ts';
import { type CodeText, reload, tellOperator, tryLater } from './code-text.ts';

/** Where the same question would fail again, no button offers to ask it again. */
export type ReplyErrorText = CodeText & { readonly isForGood?: true };

/**
 * For every reason why an answer ended in an error. The codes come from inside the seal, out of a fixed list; what the
 * operator's terminal says of each, the engine writes there.
 */
const texts: Readonly<Record<ReplyErrorCode, ReplyErrorText>> = {
  'model-failed': { cause: 'model', sentence: 'The model failed while it was answering.', wayOut: tellOperator },
  'model-unreachable': {
    cause: 'model',
    sentence: 'The enclave cannot reach its model.',
    wayOut: `${tryLater} ${tellOperator}`,
  },
  'model-refused': { cause: 'model', sentence: 'The model’s server refused the question.', wayOut: tellOperator },
  'context-too-long': {
    cause: 'model',
    sentence: 'This is longer than the model can read at once.',
    wayOut: 'Start a new chat, or ask with fewer words.',
    isForGood: true,
  },
  'too-many-turns': { cause: 'enclave', sentence: 'The enclave is busy with other questions.', wayOut: tryLater },
  'request-invalid': { cause: 'enclave', sentence: 'The enclave could not use the question.', wayOut: reload },
};

const unnamed: ReplyErrorText = { cause: 'model', sentence: 'The model stopped with an error.', wayOut: tellOperator };

/** @param code - null where none was named; one of a later version has no text here. */
export function replyErrorText(code: string | null): ReplyErrorText {
  return code !== null && Object.hasOwn(texts, code) ? texts[code as ReplyErrorCode] : unnamed;
}
