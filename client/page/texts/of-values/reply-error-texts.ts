import type { ReplyCause } from '../../../../crypto/protocol/contents/reply-note.ts';
import type { ReplyErrorCode } from '../../../../crypto/protocol/contents/request-content.ts';
import type { Cause, CodeText } from './code-text.ts';
import { say } from '../say.ts';

type ErrorCode = ReplyErrorCode | ReplyCause;

/**
 * For every reason why a reply ended in an error. The codes come from inside the seal, out of a fixed list; what the
 * operator's terminal says of each, the engine writes there.
 */
const causes: Readonly<Record<ErrorCode, Cause>> = {
  'model-failed': 'model',
  'model-unreachable': 'model',
  'model-refused': 'model',
  'context-too-long': 'model',
  'too-many-turns': 'enclave',
  'request-invalid': 'enclave',
  'model-loading': 'model',
  'model-overloaded': 'model',
  'quota-spent': 'model',
  'key-refused': 'model',
  'model-unknown': 'model',
  'request-too-large': 'model',
  'content-refused': 'model',
  'server-failed': 'model',
  'not-a-model-server': 'enclave',
  'salt-refused': 'model',
  'answer-cut': 'model',
  'answer-unreadable': 'model',
  'no-answer': 'model',
};

/** The same question would end so again. */
const forGood: ReadonlySet<string> = new Set<ErrorCode>(['context-too-long', 'request-too-large', 'content-refused']);

export function isReplyErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(causes, code);
}

/** @param code - null where none was named; one of a later version has no text here. */
export function replyErrorText(code: string | null): CodeText {
  if (code === null || !isReplyErrorCode(code)) {
    return { cause: 'model', sentence: say('reply.unknown'), wayOut: say('reply.unknown.do') };
  }
  return {
    cause: causes[code],
    sentence: say(`reply.${code}`),
    wayOut: say(`reply.${code}.do`),
    ...(forGood.has(code) ? { isForGood: true } : {}),
  };
}
