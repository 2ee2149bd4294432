import { existsSync, readFileSync } from 'node:fs';
import type { ProgressEvent } from './progress-reporter.ts';

/** How a test run went. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A whole run leaves this in `test/report/counts.json`. */
export interface TestSummary extends TestCounts {
  /** Number of files that failed at first and passed alone. */
  readonly secondAttempts: number;
  readonly secondAttemptFiles: readonly string[];
}

/** A test that failed, or the loading of a file. */
export interface FailedTest {
  /** Its describe blocks and its name; empty for what failed outside of a test: loading, a hook. */
  readonly name: string;
  /** First line of what it said. */
  readonly reason: string;
}

/** One test file's results. */
export interface FileResult extends TestCounts {
  readonly failures: readonly FailedTest[];
  /** The reason of each skipped test, as the test said it; `''` for none. */
  readonly skips: readonly string[];
}

/** One batch's results, by the file's path under the project's root. */
export interface TestRun {
  readonly files: ReadonlyMap<string, FileResult>;
  /** Failures that belong to no file. */
  readonly strayFailures: readonly string[];
  /** Files that the batch listed and never came to. */
  readonly notRun: readonly string[];
}

/** How a batch of tests ended, beside what it wrote. */
export interface BatchEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** Why it was ended from outside; null when it ended by itself. */
  readonly cause: string | null;
}

/** A file that fails as a whole. */
const brokenFile = (reason: string): FileResult => ({
  passed: 0,
  failed: 1,
  skipped: 0,
  failures: [{ name: '', reason }],
  skips: [],
});

/** Reads the whole lines of a progress file; the last one of a killed batch may be half. */
export function readProgress(path: string): readonly ProgressEvent[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ProgressEvent);
}

/**
 * Sums up one batch from its progress.
 *
 * No failure is ever summed up as zero. A file that was under way when the batch ended counts as one failed test. A file that
 * the batch never came to is named in `notRun`. An end with an error that no file explains is a failure of its own.
 */
export function readTestRun(progress: readonly ProgressEvent[], end: BatchEnd): TestRun {
  const listed = new Set<string>();
  const begun = new Set<string>();
  const files = new Map<string, FileResult>();
  const strayFailures: string[] = [];
  let isFinished = false;
  for (const line of progress) {
    if (line.event === 'start') for (const file of line.files) listed.add(file);
    else if (line.event === 'begin') begun.add(line.file);
    else if (line.event === 'end') files.set(line.file, line.result);
    else if (line.event === 'finish') {
      isFinished = true;
      strayFailures.push(...line.strayFailures);
    }
  }
  const reason = end.cause ?? 'the batch ended while this file ran';
  for (const file of begun) if (!files.has(file)) files.set(file, brokenFile(reason));
  const hasFailure = strayFailures.length > 0 || [...files.values()].some(({ failed }) => failed > 0);
  if (!hasFailure && (end.exitCode !== 0 || (!isFinished && progress.length > 0))) {
    strayFailures.push(end.cause ?? `the batch ended with ${end.exitCode ?? 'a signal'}`);
  }
  return { files, strayFailures, notRun: [...listed].filter((file) => !files.has(file)) };
}

/** Two batches, the second of which ran files that the first one never came to. */
export const continuedBy = (first: TestRun, second: TestRun): TestRun => ({
  files: new Map([...first.files, ...second.files]),
  strayFailures: [...first.strayFailures, ...second.strayFailures],
  notRun: first.notRun.filter((file) => !second.files.has(file)),
});

/** A run that goes no further: each file that it never came to is a failure. */
export const withoutRest = (run: TestRun): TestRun => ({
  files: new Map([...run.files, ...run.notRun.map((file) => [file, brokenFile('did not run')] as const)]),
  strayFailures: run.strayFailures,
  notRun: [],
});

/** The files of a run in which something failed. */
export const failedFiles = ({ files }: TestRun): readonly string[] =>
  [...files].filter(([, { failed }]) => failed > 0).map(([path]) => path);

/** A run some of whose files were run once more: their second results stand. */
export const withSecondAttempt = (first: TestRun, second: TestRun): TestRun => ({
  files: new Map([...first.files, ...second.files]),
  strayFailures: [...first.strayFailures, ...second.strayFailures],
  notRun: first.notRun,
});

/** The files that failed in the first run and passed in the second, on their own. */
export const passedAlone = (first: TestRun, second: TestRun): readonly string[] =>
  failedFiles(first).filter((path) => second.files.get(path)?.failed === 0);

/** Sums runs. */
export function countTests(runs: readonly TestRun[]): TestCounts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { files, strayFailures } of runs) {
    sum.failed += strayFailures.length;
    for (const { passed, failed, skipped } of files.values()) {
      sum.passed += passed;
      sum.failed += failed;
      sum.skipped += skipped;
    }
  }
  return sum;
}

/** The closing line that people and CI read. */
export const formatCounts = ({ passed, failed, skipped }: TestCounts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** A line or two for each failure of a run, so that the end of a long output names them. */
export const formatFailures = ({ files, strayFailures }: TestRun): readonly string[] => [
  ...[...files].flatMap(([path, { failures }]) =>
    failures.map(({ name, reason }) => `  ${path} > ${name === '' ? '(the file itself)' : name}\n    ${reason}`),
  ),
  ...strayFailures.map((reason) => `  (outside of every file)\n    ${reason}`),
];

/** A line for each reason to skip, with its number of tests. */
export function formatSkips(runs: readonly TestRun[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { files } of runs) {
    for (const [path, { skips }] of files) {
      for (const note of skips) {
        const reason = note === '' ? path : note;
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    }
  }
  return [...counts].map(([reason, count]) => `Skipped: ${count} (${reason})`);
}

/** Names the files that needed a second attempt, or says nothing where none did. */
export const formatSecondAttempts = ({ secondAttempts, secondAttemptFiles }: TestSummary): readonly string[] =>
  secondAttempts === 0
    ? []
    : [`Failed at first and passed alone: ${secondAttempts}`, ...secondAttemptFiles.map((path) => `  ${path}`)];

/**
 * The end of what CI prints: the files that needed a second attempt, then the sum with failed checks in it.
 *
 * @param summary - Null where the run left none: it counts as a failure.
 * @param exits - Number of commands that ended with a failure: `npm test` (0 or 1), and `npm run check` (0 or 1).
 */
export function formatClosing(
  summary: TestSummary | null,
  exits: { readonly tests: number; readonly checks: number },
): { readonly lines: readonly string[]; readonly isPassed: boolean } {
  const counts = summary ?? { passed: 0, failed: 1, skipped: 0 };
  // A test run that failed without a failed test is one failure, and no failed test is counted twice.
  const failed = Math.max(counts.failed, exits.tests) + exits.checks;
  const again = summary === null ? [] : formatSecondAttempts(summary);
  return { lines: [...again, formatCounts({ ...counts, failed })], isPassed: failed === 0 };
}
