import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../../process/event-log.ts';
import { type Call, CallLog } from '../../../registrar/http/call-log.ts';

type Failure = { readonly name: string; readonly code: unknown };

const lines: string[] = [];
const output = new Writable({
  write(chunk: Buffer, _encoding, done) {
    const { time: _time, error, ...rest } = JSON.parse(String(chunk)) as Record<string, unknown> & { error?: Failure };
    lines.push([...Object.values(rest), ...(error === undefined ? [] : [error.name, error.code])].join(' '));
    done();
  },
});
let calls: CallLog;
beforeEach(() => {
  vi.useFakeTimers();
  lines.length = 0;
  calls = new CallLog(createLog('info', output));
});
afterEach(() => void vi.useRealTimers());

const notFound: Call = { route: 'none', status: 404, refusal: 'not-found' };
const given: Call = { route: 'renew', status: 200, refusal: null };
const note = (call: Call, times: number, defect?: unknown) => {
  for (let time = 0; time < times; time++) calls.note(call, defect);
};

test('CallLog: the first refusal of a minute has a line, and the others a number', () => {
  note(notFound, 1_000);
  expect(lines).toEqual(['info call none 404 not-found']);
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual(['info call none 404 not-found', 'info more-calls none 404 not-found 999']);
  note(notFound, 1);
  vi.advanceTimersByTime(600_000);
  expect(lines.slice(2)).toEqual(['info call none 404 not-found']);
});

test('CallLog: each kind has its own line, and each statement that was given', () => {
  note(notFound, 2);
  note({ route: 'none', status: 429, refusal: 'too-many-requests' }, 2);
  note({ route: 'renew', status: 429, refusal: 'too-many-requests' }, 2);
  note({ route: 'challenge', status: 200, refusal: null }, 2);
  note(given, 3);
  note({ route: 'tile', status: 404, refusal: 'not-found' }, 3);
  expect(lines).toEqual([
    'info call none 404 not-found',
    'info call none 429 too-many-requests',
    'info call renew 429 too-many-requests',
    'info call challenge 200 ',
    ...Array.from({ length: 3 }, () => 'info call renew 200 '),
  ]);
});

test('CallLog: a defect has its place in the log, once a minute', () => {
  const broken: Call = { route: 'tile', status: 500, refusal: 'internal-error' };
  note(broken, 5, new TypeError('a text from outside'));
  expect(lines).toEqual(['error call-failed TypeError ', 'info call tile 500 internal-error']);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(2)).toEqual(['info more-calls tile 500 internal-error 4']);
});

test('CallLog: what is still open is written at the end', () => {
  note(notFound, 7);
  calls.close();
  expect(lines).toEqual(['info call none 404 not-found', 'info more-calls none 404 not-found 6']);
  vi.advanceTimersByTime(600_000);
  expect(lines).toHaveLength(2);
});
