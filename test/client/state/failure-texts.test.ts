import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../../crypto/messages/error-codes.ts';
import { toVaultFailure } from '../../../client/state/failure.ts';
import { failureText, waitText } from '../../../client/state/failure-texts.ts';

describe('toVaultFailure', () => {
  test('takes a plain object, and an Error by its message', () => {
    expect(toVaultFailure({ code: 'name-taken' })).toEqual({ code: 'name-taken' });
    expect(toVaultFailure(new Error('relay:head-conflict'))).toEqual({ code: 'relay:head-conflict' });
    expect(toVaultFailure({ code: 'too-many-attempts', retryAfterMs: 1 })).toEqual({
      code: 'too-many-attempts',
      retryAfterMs: 1,
    });
  });

  test.each([
    null,
    undefined,
    'name-taken',
    { code: 'made-up' },
    { code: 'relay:<b>words of the relay</b>' },
    { code: 'toString' },
    new TypeError('x is not a function'),
  ])('%o: an unknown reason becomes one code', (reason) => {
    expect(toVaultFailure(reason)).toEqual({ code: 'relay:internal-error' });
  });
});

describe('failureText', () => {
  test('every code of the relay and the worker has a text of ours', () => {
    const texts = Object.keys(errorCodes).map((code) => failureText({ code: `relay:${code}` }));
    for (const text of texts) expect(text).toMatch(/^The relay says: [a-z].+\.$/);
    expect(texts.join()).not.toContain('does not know');
  });

  test('a code of a later relay is not shown, nor one that names a property of all objects', () => {
    for (const code of ['relay:new-code', 'relay:constructor'] as const) {
      expect(failureText({ code })).toBe('The relay says: something that this version does not know.');
    }
  });

  test('the time to wait stands behind it', () => {
    expect(failureText({ code: 'too-many-attempts', retryAfterMs: 30_500 })).toBe(
      'Too many attempts. Try again in 31 seconds.',
    );
  });
});

test.each([
  [0, '1 second'],
  [1000, '1 second'],
  [1001, '2 seconds'],
  [89_000, '89 seconds'],
  [90_000, '2 minutes'],
  [3_600_000, '60 minutes'],
  [86_400_000, '24 hours'],
])('waitText: %i ms', (waitMs, text) => {
  expect(waitText(waitMs)).toBe(text);
});
