import type { ReplyCause } from '../../../crypto/protocol/contents/reply-note.ts';
import type { ReplyErrorCode } from '../../../crypto/protocol/contents/request-content.ts';
import { type CodeText, reload, tellOperator, tryLater } from './code-text.ts';

/**
 * For every reason why an answer ended in an error. The codes come from inside the seal, out of a fixed list; what the
 * operator's terminal says of each, the engine writes there.
 */
const texts: Readonly<Record<ReplyErrorCode | ReplyCause, CodeText>> = {
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
    wayOut: 'Send a shorter message.',
    isForGood: true,
  },
  'too-many-turns': { cause: 'enclave', sentence: 'The enclave is busy with other questions.', wayOut: tryLater },
  'request-invalid': { cause: 'enclave', sentence: 'The enclave could not use the question.', wayOut: reload },
  'model-loading': { cause: 'model', sentence: 'The model is still being loaded.', wayOut: tryLater },
  'model-overloaded': {
    cause: 'model',
    sentence: 'The model takes no more questions at the moment.',
    wayOut: tryLater,
  },
  'quota-spent': {
    cause: 'model',
    sentence: 'The operator’s allowance for this model is used up.',
    wayOut: tellOperator,
  },
  'key-refused': {
    cause: 'model',
    sentence: 'The model’s server does not accept the enclave’s key.',
    wayOut: tellOperator,
  },
  'model-unknown': {
    cause: 'model',
    sentence: 'The model’s server does not have this model any more.',
    wayOut: tellOperator,
  },
  'request-too-large': {
    cause: 'model',
    sentence: 'The model’s server takes nothing of this size.',
    wayOut: 'Send a shorter message, or start a new chat.',
    isForGood: true,
  },
  'content-refused': {
    cause: 'model',
    sentence: 'The model’s server refused the question for its content.',
    wayOut: 'Ask it in other words.',
    isForGood: true,
  },
  'server-failed': {
    cause: 'model',
    sentence: 'The model’s server has a fault.',
    wayOut: `${tryLater} ${tellOperator}`,
  },
  'not-a-model-server': {
    cause: 'enclave',
    sentence: 'What the enclave takes for its model’s server is none.',
    wayOut: tellOperator,
  },
  'salt-refused': {
    cause: 'model',
    sentence: 'The model’s server cannot keep conversations apart, so it was asked nothing.',
    wayOut: tellOperator,
  },
  'answer-cut': {
    cause: 'model',
    sentence: 'The model’s server broke off before the end of the answer.',
    wayOut: 'Try again.',
  },
  'answer-unreadable': {
    cause: 'model',
    sentence: 'The model’s server sent something that is no answer.',
    wayOut: `Try again. ${tellOperator}`,
  },
  'no-answer': { cause: 'model', sentence: 'The model said nothing.', wayOut: 'Try again, or ask in other words.' },
};

const unnamed: CodeText = { cause: 'model', sentence: 'The model stopped with an error.', wayOut: tellOperator };

/** @param code - null where none was named; one of a later version has no text here. */
export function replyErrorText(code: string | null): CodeText {
  return code !== null && Object.hasOwn(texts, code) ? texts[code as ReplyErrorCode | ReplyCause] : unnamed;
}
