import { expect, test } from 'vitest';
import { errorCodes, type ErrorCode } from '../../../crypto/messages/error-codes.ts';
import { describeError } from '../../../server/http/error-answer.ts';
import { RelayError } from '../../../server/relay-error.ts';
import { openTestRelay } from '../../parts/test-relay.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

test.each(codes)('describeError: %s says when to come back if it is 429, 503 or 507, and else does not', (code) => {
  const { headers, status } = describeError(new RelayError(code));
  expect(/^[1-9]\d*$/.test(headers['Retry-After'] ?? '')).toBe([429, 503, 507].includes(status));
});

test('describeError: whoever refuses may know the time better', () => {
  expect(describeError(new RelayError('too-many-requests', 77)).headers['Retry-After']).toBe('77');
});

test('healthz: a relay that cannot take turns says when to ask again', async () => {
  const { status, headers } = await (await openTestRelay('sqlite')).call('GET', '/healthz');
  expect([status, headers.get('retry-after')]).toEqual([503, '5']);
});
