import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { makeTemporaryFolder } from './parts/temporary-folder.ts';
import {
  countTests,
  failedFiles,
  formatClosing,
  formatCounts,
  formatFailures,
  formatSecondAttempts,
  passedAlone,
  readTestRun,
  type TestRun,
  withSecondAttempt,
} from './run-report.ts';

const assertion = (status: string, fullName = `a test that ${status}`) => ({
  status,
  fullName,
  failureMessages: status === 'failed' ? ['\u001B[31mError: of its own\u001B[39m\n    at a line'] : [],
});
const file = (name: string, ...statuses: string[]) => ({
  name: `/project/test/${name}`,
  status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
  message: statuses.length === 0 ? 'SyntaxError: unexpected\nmore' : '',
  assertionResults: statuses.map((status) => assertion(status)),
});
const healthy = [file('a.test.ts', 'passed', 'passed', 'skipped'), file('b.test.ts', 'passed', 'todo')];

async function read(testResults: object[] | null, exitCode: number | null): Promise<TestRun> {
  await using folder = await makeTemporaryFolder('report');
  const path = join(folder.path, 'report.json');
  if (testResults !== null) writeFileSync(path, JSON.stringify({ testResults }));
  return readTestRun(path, exitCode, '/project');
}

test('readTestRun: reads a good report', async () => {
  expect(countTests([await read(healthy, 0)])).toEqual({ passed: 3, failed: 0, skipped: 2 });
});

test('readTestRun: counts a file that did not load as one failed test', async () => {
  const run = await read([...healthy, file('c.test.ts', 'failed', 'passed'), file('d.test.ts')], 1);
  expect(countTests([run])).toEqual({ passed: 4, failed: 2, skipped: 2 });
  expect(failedFiles(run)).toEqual(['test/c.test.ts', 'test/d.test.ts']);
  expect(formatFailures(run)).toEqual([
    '  test/c.test.ts > a test that failed\n    Error: of its own',
    '  test/d.test.ts > (the file did not load)\n    SyntaxError: unexpected',
  ]);
});

test.each([
  ['failed outside of a test', healthy, 1],
  ['was ended by a signal', healthy, null],
  ['left no report', null, 1],
] as const)('readTestRun: never says zero for a run that %s', async (_name, testResults, exitCode) => {
  const run = await read(testResults === null ? null : [...testResults], exitCode);
  expect(countTests([run]).failed).toBe(1);
});

test('readTestRun: a project without tests has no report and no failure', async () => {
  expect(countTests([await read(null, 0)])).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

test('withSecondAttempt: the second result of a file stands, whatever it is', async () => {
  const first = await read([...healthy, file('c.test.ts', 'failed', 'passed')], 1);
  const mended = await read([file('c.test.ts', 'passed', 'passed')], 0);
  const still = await read([file('c.test.ts', 'failed', 'passed')], 1);
  const ended = await read(null, null);
  expect(countTests([withSecondAttempt(first, mended)])).toEqual({ passed: 5, failed: 0, skipped: 2 });
  expect(countTests([withSecondAttempt(first, still)])).toEqual({ passed: 4, failed: 1, skipped: 2 });
  // A second attempt that left nothing clears nothing.
  expect(countTests([withSecondAttempt(first, ended)]).failed).toBe(2);
});

test('countTests, formatCounts: sum runs in the line that CI reads', async () => {
  const runs = [await read(healthy, 0), await read([file('c.test.ts', 'failed', 'passed')], 1)];
  expect(formatCounts(countTests(runs))).toBe('4 passed, 1 failed, 2 skipped');
});

test('passedAlone: names the files that passed in the second run, and no other', async () => {
  const first = await read([...healthy, file('c.test.ts', 'failed'), file('d.test.ts', 'failed')], 1);
  const second = await read([file('c.test.ts', 'passed'), file('d.test.ts', 'failed')], 1);
  expect(passedAlone(first, second)).toEqual(['test/c.test.ts']);
  expect(passedAlone(first, await read(null, null))).toEqual([]);
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

test('what CI runs ends with the second attempts and the sum, and its exit code is theirs', async () => {
  await using folder = await makeTemporaryFolder('ci');
  for (const name of ['.ci', 'test/report', 'commands']) mkdirSync(join(folder.path, name), { recursive: true });
  cpSync(resolve('.ci/run'), join(folder.path, '.ci/run'));
  cpSync(resolve('test/run-report.ts'), join(folder.path, 'test/run-report.ts'));
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
