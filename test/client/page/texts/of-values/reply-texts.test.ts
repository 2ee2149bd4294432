import { expect, test } from 'vitest';
import { leftOutText, waitingText } from '../../../../../client/page/texts/of-values/reply-texts.ts';
import { replyErrorText } from '../../../../../client/page/texts/of-values/reply-error-texts.ts';
import { replyCauses } from '../../../../../crypto/protocol/contents/reply-note.ts';
import { replyErrorCodes } from '../../../../../crypto/protocol/contents/request-content.ts';

test('a wait and what was left out are said in words', () => {
  expect(waitingText('model-loading')).toBe('The model is being loaded');
  expect(waitingText(undefined)).toBeNull();
  expect(waitingText('answer-cut')).toBeNull();
  expect(leftOutText(1)).toMatch(/^The oldest message was left out/);
  expect(leftOutText(12)).toMatch(/^The 12 oldest messages were left out/);
});

test('there is no Retry where the same question cannot succeed, and one everywhere else', () => {
  const codes = [...replyErrorCodes, ...replyCauses];
  expect(codes.filter((code) => replyErrorText(code).isForGood)).toEqual([
    'context-too-long',
    'request-too-large',
    'content-refused',
  ]);
});
