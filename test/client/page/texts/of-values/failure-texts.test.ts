import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../../../../crypto/protocol/messages/error-codes.ts';
import { replyCauses } from '../../../../../crypto/protocol/contents/reply-note.ts';
import { replyErrorCodes } from '../../../../../crypto/protocol/contents/request-content.ts';
import type { Cause, CodeText } from '../../../../../client/page/texts/of-values/code-text.ts';
import { toVaultFailure } from '../../../../../client/page/state/vault-result.ts';
import {
  failureCodes,
  failureCodeText,
  failureSentence,
  failureText,
  waitText,
} from '../../../../../client/page/texts/of-values/failure-texts.ts';
import { replyErrorText } from '../../../../../client/page/texts/of-values/reply-error-texts.ts';
import { RelayCallError } from '../../../../../client/vault/relay/http/relay-call-error.ts';
import { toVaultError } from '../../../../../client/vault/failures/vault-error.ts';
import type { FailureCode, VaultFailure } from '../../../../../client/vault/api/vault-api.ts';

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
    { code: 'relay:made-up' },
    { code: 'relay:<b>words of the relay</b>' },
    { code: 'toString' },
    new TypeError('x is not a function'),
  ])('%o: an unknown reason is this browser’s, not the relay’s', (reason) => {
    expect(toVaultFailure(reason)).toEqual({ code: 'browser-failed' });
  });
});

describe('toVaultError', () => {
  test('an error that nobody foresaw is not blamed on the relay', () => {
    for (const error of [new TypeError('x is not a function'), new RangeError('Maximum call stack'), 'text', null]) {
      expect(toVaultError(error).code).toBe('browser-failed');
    }
  });

  test.each([
    'relay-unreachable',
    'foreign-answer',
    'too-large-on-the-way',
    'too-many-on-the-way',
    'malformed-answer',
  ] as const)('a call that came to %s is not said to be the relay’s word, and an answer of the relay is', (code) => {
    expect(toVaultError(new RelayCallError(code, { retryAfterMs: 1000 }))).toMatchObject({
      code,
      retryAfterMs: 1000,
    });
    expect(failureCodeText(code).cause).toBe('way');
    expect(toVaultError(new RelayCallError('internal-error')).code).toBe('relay:internal-error');
    expect(failureCodeText(code).sentence).not.toMatch(/^The relay (said|sent|has|does|is)/);
  });

  test.each([
    'Failed to fetch dynamically imported module: https://sotto.example/assets/a.js',
    'error loading dynamically imported module: https://sotto.example/assets/a.js',
    'Importing a module script failed.',
  ])('a script that does not come says so: %s', (message) => {
    expect(toVaultError(new TypeError(message)).code).toBe('part-missing');
  });

  test('storage that is full and storage that is shut are two things', () => {
    const full = new DOMException('', 'QuotaExceededError');
    expect(toVaultError(full).code).toBe('browser-storage-full');
    // Dexie hands it on so.
    expect(toVaultError(Object.assign(new Error('x'), { name: 'AbortError', inner: full })).code).toBe(
      'browser-storage-full',
    );
    expect(toVaultError(new DOMException('', 'InvalidStateError')).code).toBe('storage-unavailable');
  });
});

/** A text that blames somebody names them; a text of another cause does not have to. */
const namesTheCause: Readonly<Record<Cause, RegExp>> = {
  person: /./,
  browser: /browser/i,
  way: /network|connection|relay cannot be reached|proxy/i,
  relay: /relay|session/i,
  enclave: /enclave/i,
  model: /model/i,
  'other-device': /device/i,
};

const rows: readonly (readonly [string, CodeText])[] = [
  ...failureCodes.map((code) => [code, failureCodeText(code)] as const),
  ...[...replyErrorCodes, ...replyCauses].map((code) => [code, replyErrorText(code)] as const),
];
const allCodes = [...failureCodes, ...replyErrorCodes, ...Object.keys(errorCodes)];

describe('the table of failures', () => {
  test('has every code that relay and enclave answer', () => {
    for (const code of Object.keys(errorCodes)) expect(failureCodes).toContain(`relay:${code}`);
  });

  test('has every code that an answer can end with', () => {
    const unnamed = replyErrorText(null);
    for (const code of [...replyErrorCodes, ...replyCauses]) expect(replyErrorText(code), code).not.toEqual(unnamed);
  });

  test.each(rows)('%s: a sentence that names its cause, and a way out, without a code in it', (_code, text) => {
    expect(text.sentence).toMatch(/^[A-Z].{8,}\.$/);
    expect(text.wayOut).toMatch(/^[A-Z].{8,}\.$/);
    expect(`${text.sentence} ${text.wayOut}`).toMatch(namesTheCause[text.cause]);
    const said = `${text.sentence} ${text.wayOut}`;
    for (const each of allCodes.filter((code) => /[-:]/.test(code))) expect(said).not.toContain(each);
  });

  test('no code says that the relay spoke where the way to it is to blame', () => {
    const ofTheWay = failureCodes.filter((code) => failureCodeText(code).cause === 'way');
    expect(ofTheWay).toContain('foreign-answer');
    expect(ofTheWay.filter((code) => code.startsWith('relay:'))).toEqual([]);
  });

  test('only what the relay or enclave answered is said of them', () => {
    for (const code of ['browser-failed', 'part-missing', 'message-empty', 'storage-unavailable'] as const) {
      expect(failureSentence({ code })).not.toMatch(/relay|enclave|model/i);
    }
  });
});

describe('failureText', () => {
  test('failureText: names what was kept between the failure and the way out', () => {
    expect(failureText({ code: 'relay:quota-exceeded' }, 'Your message is kept.')).toBe(
      'Your space at the relay is full. Your message is kept. Delete conversations to make room.',
    );
  });

  test('a code of a later build is not shown, nor one that names a property of all objects', () => {
    for (const code of ['relay:new-code', 'relay:constructor', 'toString']) {
      expect(failureText({ code: code as FailureCode } satisfies VaultFailure)).toBe(
        'That failed for a reason that this version of Sotto does not know. Reload the page. If it stays so, tell whoever runs this service.',
      );
    }
    for (const code of ['model-on-fire', 'constructor']) expect(replyErrorText(code)).toEqual(replyErrorText(null));
  });

  test('the time to wait stands in place of the way out', () => {
    expect(failureText({ code: 'quota-exceeded', retryAfterMs: 30_500 })).toBe(failureText({ code: 'quota-exceeded' }));
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
