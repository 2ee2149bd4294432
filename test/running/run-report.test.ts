import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import type { ProgressEvent } from './progress-reporter.ts';
import {
  continuedBy,
  countTests,
  failedFiles,
  type FileResult,
  formatClosing,
  formatCounts,
  formatFailures,
  formatSecondAttempts,
  formatSkips,
  passedAlone,
  readProgress,
  readTestRun,
  withoutRest,
  withSecondAttempt,
} from './run-report.ts';

const result = (failed: readonly string[] = [], passed = 1, skips: readonly string[] = []): FileResult => ({
  passed,
  failed: failed.length,
  skipped: skips.length,
  failures: failed.map((name) => ({ name, reason: 'Error: of its own' })),
  skips,
});
const end = (file: string, ...parameters: Parameters<typeof result>): ProgressEvent[] => [
  { event: 'begin', file },
  { event: 'test', file },
  { event: 'end', file, result: result(...parameters) },
];
const start = (...files: string[]): ProgressEvent => ({ event: 'start', files });
const finish = (...strayFailures: string[]): ProgressEvent => ({ event: 'finish', strayFailures });
const well = { exitCode: 0, cause: null };
const badly = { exitCode: 1, cause: null };
const healthy = [start('a', 'b'), ...end('a', [], 2, ['no Python here']), ...end('b', [], 1, ['']), finish()];

test('readTestRun: reads a good run', () => {
  const run = readTestRun(healthy, well);
  expect(countTests([run])).toEqual({ passed: 3, failed: 0, skipped: 2 });
  expect(formatSkips([run])).toEqual(['Skipped: 1 (no Python here)', 'Skipped: 1 (b)']);
});

test('readTestRun: names each failure, that of a file itself too', () => {
  const run = readTestRun([start('c', 'd'), ...end('c', ['a test']), ...end('d', ['']), finish()], badly);
  expect(countTests([run])).toEqual({ passed: 2, failed: 2, skipped: 0 });
  expect(failedFiles(run)).toEqual(['c', 'd']);
  expect(formatFailures(run)).toEqual([
    '  c > a test\n    Error: of its own',
    '  d > (the file itself)\n    Error: of its own',
  ]);
});

test.each([
  ['failed outside of every file', [...healthy.slice(0, -1), finish('unhandled')], badly],
  ['failed without a reason', healthy, badly],
  ['was ended by a signal', healthy, { exitCode: null, cause: null }],
  ['ended with success in the middle', healthy.slice(0, -1), well],
  ['failed before its first file', [], badly],
])('readTestRun: never says zero for a run that %s', (_name, progress, batchEnd) => {
  expect(countTests([readTestRun(progress, batchEnd)]).failed).toBe(1);
});

test('readTestRun: a project without tests has no failure', () => {
  expect(countTests([readTestRun([], well)])).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

test('readTestRun: a batch that was ended fails the file under way and names the files that it never came to', () => {
  const progress = [start('a', 'b', 'c'), ...end('a'), { event: 'begin', file: 'b' } as const];
  const run = readTestRun(progress, { exitCode: null, cause: 'ended: no test finished for 9 s' });
  expect(formatFailures(run)).toEqual(['  b > (the file itself)\n    ended: no test finished for 9 s']);
  expect(run.notRun).toEqual(['c']);
  expect(countTests([withoutRest(run)])).toEqual({ passed: 1, failed: 2, skipped: 0 });
  const rest = readTestRun([start('c'), ...end('c'), finish()], well);
  expect(countTests([withoutRest(continuedBy(run, rest))])).toEqual({ passed: 2, failed: 1, skipped: 0 });
});

test('readProgress: a half last line of a killed batch is passed over', async () => {
  await using folder = await makeTemporaryFolder('progress');
  const path = join(folder.path, 'progress.jsonl');
  expect(readProgress(path)).toEqual([]);
  writeFileSync(path, `${healthy.map((line) => JSON.stringify(line)).join('\n')}\n{"event":"fin`);
  expect(readProgress(path)).toEqual(healthy);
});

const broken = [start('a', 'c'), ...end('a', [], 3), ...end('c', ['a test']), finish()];

test('withSecondAttempt: the second result of a file stands, whatever it is', () => {
  const first = readTestRun(broken, badly);
  const mended = readTestRun([start('c'), ...end('c', [], 2), finish()], well);
  const still = readTestRun([start('c'), ...end('c', ['a test']), finish()], badly);
  const ended = readTestRun([], { exitCode: null, cause: null });
  expect(countTests([withSecondAttempt(first, mended)])).toEqual({ passed: 5, failed: 0, skipped: 0 });
  expect(countTests([withSecondAttempt(first, still)])).toEqual({ passed: 4, failed: 1, skipped: 0 });
  // A second attempt that left nothing clears nothing.
  expect(countTests([withSecondAttempt(first, ended)]).failed).toBe(2);
});

test('countTests, formatCounts: sum runs in the line that CI reads', () => {
  const runs = [readTestRun(healthy, well), readTestRun(broken, badly)];
  expect(formatCounts(countTests(runs))).toBe('7 passed, 1 failed, 2 skipped');
});

test('passedAlone: names the files that passed in the second run, and no other', () => {
  const first = readTestRun([start('c', 'd'), ...end('c', ['x']), ...end('d', ['x']), finish()], badly);
  const second = readTestRun([start('c', 'd'), ...end('c'), ...end('d', ['x']), finish()], badly);
  expect(passedAlone(first, second)).toEqual(['c']);
  expect(passedAlone(first, readTestRun([], badly))).toEqual([]);
});

const calm = { passed: 7, failed: 0, skipped: 1, secondAttempts: 0, secondAttemptFiles: [] };
const lucky = { ...calm, secondAttempts: 2, secondAttemptFiles: ['test/c.test.ts', 'test/d.test.ts'] };

test('formatSecondAttempts: names the files, and is silent without any', () => {
  expect(formatSecondAttempts(lucky)).toEqual([
    'Failed at first and passed alone: 2',
    '  test/c.test.ts',
    '  test/d.test.ts',
  ]);
  expect(formatSecondAttempts(calm)).toEqual([]);
});

test.each([
  ['all is well', calm, { tests: 0, checks: 0 }, '7 passed, 0 failed, 1 skipped', true],
  ['a check failed', calm, { tests: 0, checks: 1 }, '7 passed, 1 failed, 1 skipped', false],
  ['tests failed', { ...calm, failed: 2 }, { tests: 1, checks: 1 }, '7 passed, 3 failed, 1 skipped', false],
  ['the run failed without a failed test', calm, { tests: 1, checks: 0 }, '7 passed, 1 failed, 1 skipped', false],
  ['the run left no counts', null, { tests: 0, checks: 0 }, '0 passed, 1 failed, 0 skipped', false],
] as const)('formatClosing: %s', (_case, summary, exits, line, isPassed) => {
  expect(formatClosing(summary, exits)).toEqual({ lines: [line], isPassed });
});

test('formatClosing: a second attempt is named right before the last line', () => {
  expect(formatClosing(lucky, { tests: 0, checks: 0 }).lines).toEqual([
    ...formatSecondAttempts(lucky),
    '7 passed, 0 failed, 1 skipped',
  ]);
});

test('the command of CI ends with the second attempts and the sum, and its exit code is theirs', async () => {
  await using folder = await makeTemporaryFolder('ci');
  for (const name of ['.ci', 'test/report', 'test/running', 'commands']) {
    mkdirSync(join(folder.path, name), { recursive: true });
  }
  cpSync(resolve('.ci/run'), join(folder.path, '.ci/run'));
  cpSync(resolve('test/running/run-report.ts'), join(folder.path, 'test/running/run-report.ts'));
  // npm, but for its last command, has been here already.
  const npm = `#!/bin/sh\n[ "$1" = exec ] && { shift 3; exec '${process.execPath}' "$@"; }\n[ "$2" != "$FAILING" ]\n`;
  writeFileSync(join(folder.path, 'commands/npm'), npm, { mode: 0o755 });
  writeFileSync(join(folder.path, 'test/report/counts.json'), JSON.stringify(lucky));
  const run = (failing: string) => {
    const env = { PATH: `${join(folder.path, 'commands')}:${process.env['PATH'] ?? ''}`, FAILING: failing };
    const { stdout, status } = spawnSync('bash', [join(folder.path, '.ci/run')], { env, encoding: 'utf8' });
    return { lines: stdout.trim().split('\n'), status };
  };
  expect(run('nothing')).toEqual({ lines: formatClosing(lucky, { tests: 0, checks: 0 }).lines, status: 0 });
  expect(run('check')).toEqual({ lines: formatClosing(lucky, { tests: 0, checks: 1 }).lines, status: 1 });
});
