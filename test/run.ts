// npm test: unit tests, then whole systems with a real browser, several files at a time, then one line with the sum.
// Arguments go to vitest: `npm test -- test/crypto` runs a folder, `npm test -- -t "rejects"` tests by name.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBatch } from './running/run-batch.ts';
import {
  continuedBy,
  countTests,
  failedFiles,
  formatCounts,
  formatFailures,
  formatSkips,
  passedAlone,
  type TestRun,
  type TestSummary,
  withoutRest,
  withSecondAttempt,
} from './running/run-report.ts';

const root = join(import.meta.dirname, '..');
const reportFolder = join(root, 'test', 'report');
/** A batch goes on for as long as its tests finish: the longest test has four minutes. */
const silenceMs = 6 * 60_000;
/** All together stay under what CI allows, however busy the machine is. */
const endAtMs = performance.now() + 50 * 60_000;
/** More files than these are broken, not unlucky. */
const secondAttemptFilesAtMost = 6;
/** A batch that was ended is followed by one with the files that it never came to, so often. */
const continuations = 3;

rmSync(reportFolder, { recursive: true, force: true });
mkdirSync(reportFolder, { recursive: true });
const closingLines: string[] = [];

async function runVitest(project: string, name: string, parameters: readonly string[]): Promise<TestRun> {
  const command = ['vitest', 'run', '--project', project, '--passWithNoTests', ...parameters];
  const progressFile = join(reportFolder, `${name}.jsonl`);
  return runBatch(command, { cwd: root, progressFile, limits: { silenceMs, endAtMs } });
}

/** Runs all files of a project; each that a batch never came to runs in the next one, or is a failure in the end. */
async function runProject(project: string, parameters: readonly string[]): Promise<TestRun> {
  let run = await runVitest(project, project, parameters);
  for (let count = 1; count <= continuations && run.notRun.length > 0 && performance.now() < endAtMs; count++) {
    const line = `A batch (${project}) was ended before its end; ${run.notRun.length} files run in another one.`;
    closingLines.push(line);
    console.log(line);
    run = continuedBy(run, await runVitest(project, `${project}-${count}`, [...parameters, ...run.notRun]));
  }
  return withoutRest(run);
}

const runs: TestRun[] = [];
const secondAttemptFiles: string[] = [];
const parameters = process.argv.slice(2);
for (const project of ['unit', 'system']) {
  let run = await runProject(project, parameters);
  const files = failedFiles(run);
  // Whole systems share two cores here. A file that failed is run once more on its own, and that is said at the end, beside its
  // first reason: a fault of the product fails again, and a fault that shows now and then stays in sight.
  if (parameters.length === 0 && files.length > 0 && files.length <= secondAttemptFilesAtMost) {
    closingLines.push(`Run a second time (${project}), for what failed at first:`, ...formatFailures(run));
    const second = await runVitest(project, `${project}-second`, ['--maxWorkers', '1', ...files]);
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
for (const line of [...closingLines, ...formatSkips(runs)]) console.log(line);
console.log(formatCounts(total));
// A run without a single test proves nothing: it fails like a run with a failed one.
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
