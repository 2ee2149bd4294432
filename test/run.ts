// npm test: unit tests, then whole systems with a real browser, several files at a time, then one line with the sum.
// Arguments go to vitest: `npm test -- test/crypto` runs a folder, `npm test -- -t "rejects"` tests by name.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';
import {
  countTests,
  failedFiles,
  formatCounts,
  formatFailures,
  passedAlone,
  readTestRun,
  type TestRun,
  type TestSummary,
  withSecondAttempt,
} from './run-report.ts';

const root = join(import.meta.dirname, '..');
const reportFolder = join(root, 'test', 'report');
/** Ends a batch that hangs: together they stay under what CI allows. */
const batchTimeoutMs = 11 * 60_000;
/** Limit of a second attempt, and of the files that get one: more than a few are broken, not unlucky. */
const secondAttempt = { timeoutMs: 3 * 60_000, maxFiles: 3 };

rmSync(reportFolder, { recursive: true, force: true });
mkdirSync(reportFolder, { recursive: true });

async function runVitest(project: string, name: string, timeoutMs: number, parameters: readonly string[]) {
  const report = join(reportFolder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = ['vitest', 'run', '--project', project, '--passWithNoTests', ...reporters, ...parameters];
  const { exitCode } = await runCommand(command, { cwd: root, timeoutMs, output: 'inherit' });
  return readTestRun(report, exitCode, root);
}

const runs: TestRun[] = [];
const closingLines: string[] = [];
const secondAttemptFiles: string[] = [];
const parameters = process.argv.slice(2);
for (const project of ['unit', 'system']) {
  let run = await runVitest(project, project, batchTimeoutMs, parameters);
  const files = failedFiles(run);
  // Whole systems share two cores here. A file that failed is run once more on its own, and that is said at the end, beside its
  // first reason: a fault of the product fails again, and a fault that shows now and then stays in sight.
  if (parameters.length === 0 && files.length > 0 && files.length <= secondAttempt.maxFiles) {
    closingLines.push(`Run a second time (${project}), for what failed at first:`, ...formatFailures(run));
    const alone = ['--maxWorkers', '1', ...files];
    const second = await runVitest(project, `${project}-second`, secondAttempt.timeoutMs, alone);
    secondAttemptFiles.push(...passedAlone(run, second));
    run = withSecondAttempt(run, second);
  }
  const failures = formatFailures(run);
  if (failures.length > 0) closingLines.push(`Failed (${project}):`, ...failures);
  runs.push(run);
}
const total = countTests(runs);
const summary: TestSummary = { ...total, secondAttempts: secondAttemptFiles.length, secondAttemptFiles };
writeFileSync(join(reportFolder, 'counts.json'), JSON.stringify(summary));
for (const line of closingLines) console.log(line);
console.log(formatCounts(total));
// A run without a single test proves nothing: it fails like a run with a failed one.
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
