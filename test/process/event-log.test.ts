import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { coarseMs, createLog } from '../../process/event-log.ts';

test('createLog: writes kind, code and place of an error, never its words', () => {
  const output = new PassThrough();
  const log = createLog('info', output);
  const error = Object.assign(new TypeError('the user wrote: a secret\n    at the secret place'), {
    code: '23505',
    detail: 'Key (name)=(secret)',
  });
  log.error('failed', { error, route: 'x' });
  log.debug('not written');
  log.info('with nothing');
  log.error('failed', { error: 'thrown as it is: a secret' });
  const text = String(output.read());
  const [first, second, third, ...rest] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(text).not.toContain('secret');
  expect(first).toMatchObject({
    level: 'error',
    event: 'failed',
    route: 'x',
    error: { name: 'TypeError', code: '23505' },
  });
  const { at } = first!['error'] as { at: string[] };
  expect(at[0]).toMatch(/^event-log\.test\.ts:\d+:\d+$/);
  expect([second!['event'], rest]).toEqual(['with nothing', []]);
  expect(third!['error']).toBe('string');
});

test('coarseMs: powers of two', () => {
  expect([0, 0.4, 1, 3, 5, 100, 1000].map(coarseMs)).toEqual([1, 1, 1, 4, 4, 128, 1024]);
});

test('createLog: a value that is neither a word nor a number is named by its type, and plain ones are written', () => {
  const output = new PassThrough();
  const log = createLog('info', output, 'worker');
  log.info('listening', { port: 8787, isTest: false, why: null, body: { text: 'a secret' }, list: ['a secret'] });
  const line = JSON.parse(String(output.read())) as Record<string, unknown>;
  expect(line).toEqual({
    time: expect.any(String) as string,
    level: 'info',
    part: 'worker',
    event: 'listening',
    port: 8787,
    isTest: false,
    why: null,
    body: 'object',
    list: 'object',
  });
});
