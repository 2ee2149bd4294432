import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addCounts, countTests, formatCounts } from './report-counts.ts';
import { makeTemporaryFolder } from './parts/temporary-folder.ts';

const healthy = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] };
const brokenFile = { status: 'failed', assertionResults: [] };
const failedFile = { status: 'failed', assertionResults: [{ status: 'failed' }] };

async function count(report: object | null, exitCode: number | null) {
  await using folder = await makeTemporaryFolder('report');
  const path = join(folder.path, 'report.json');
  if (report !== null) writeFileSync(path, JSON.stringify(report));
  return countTests(path, exitCode);
}

test('countTests: reads a good report', async () => {
  expect(await count(healthy, 0)).toEqual({ passed: 3, failed: 0, skipped: 2 });
});

test('countTests: counts a file that did not load as one failed test', async () => {
  const report = { ...healthy, numFailedTests: 1, testResults: [failedFile, brokenFile] };
  expect((await count(report, 1)).failed).toBe(2);
});

test.each([
  ['failed outside of a test', healthy, 1],
  ['was ended by a signal', healthy, null],
  ['left no report', null, 1],
] as const)('countTests: never says zero for a run that %s', async (_name, report, exitCode) => {
  expect((await count(report, exitCode)).failed).toBe(1);
});

test('countTests: a project without tests has no report and no failure', async () => {
  expect(await count(null, 0)).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

test('formatCounts: is the line that CI reads', () => {
  const sum = addCounts({ passed: 1, failed: 0, skipped: 2 }, { passed: 10, failed: 1, skipped: 0 });
  expect(formatCounts(sum)).toBe('11 passed, 1 failed, 2 skipped');
});
