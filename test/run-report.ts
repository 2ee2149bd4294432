import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** How a test run went. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What a whole run leaves in `test/report/counts.json`. */
export interface TestSummary extends TestCounts {
  /** Number of files that failed at first and passed alone. */
  readonly secondAttempts: number;
  readonly secondAttemptFiles: readonly string[];
}

/** A test that failed, or the loading of a file. */
export interface FailedTest {
  /** Its describe blocks and its name; empty when the file itself did not load. */
  readonly name: string;
  /** First line of what it said. */
  readonly reason: string;
}

/** What became of one test file. */
export interface FileResult extends TestCounts {
  readonly failures: readonly FailedTest[];
}

/** What became of one vitest run, by the file's path under the project's root. */
export interface TestRun {
  readonly files: ReadonlyMap<string, FileResult>;
  /** Failures that belong to no file: the run ended otherwise than its report says. */
  readonly strayFailures: number;
}

/** The fields of vitest's JSON report that are read here. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

// oxlint-disable-next-line no-control-regex -- colours are control characters.
const firstLine = (text: string) => text.replaceAll(/\u001B\[[\d;]*m/g, '').split('\n', 1)[0] ?? '';

function readFile({ status, message, assertionResults }: VitestReport['testResults'][number]): FileResult {
  const withStatus = (wanted: string) => assertionResults.filter((assertion) => assertion.status === wanted);
  const failures = withStatus('failed').map(({ fullName, failureMessages }) => ({
    name: fullName,
    reason: firstLine(failureMessages?.[0] ?? ''),
  }));
  if (status === 'failed' && failures.length === 0) failures.push({ name: '', reason: firstLine(message) });
  const passed = withStatus('passed').length;
  const failed = withStatus('failed').length;
  return { passed, failed: failures.length, skipped: assertionResults.length - passed - failed, failures };
}

/**
 * Reads what became of one vitest run.
 *
 * A file that did not load counts as one failed test, and so does a run that failed in any other way, or left no report: no
 * failure is ever summed up as zero.
 *
 * @param reportPath - What `--outputFile.json` named.
 * @param exitCode - Of the vitest process; null when it was ended by a signal.
 * @param root - Folder that the paths of files are told from.
 */
export function readTestRun(reportPath: string, exitCode: number | null, root: string): TestRun {
  const report = existsSync(reportPath)
    ? (JSON.parse(readFileSync(reportPath, 'utf8')) as VitestReport)
    : { testResults: [] };
  const files = new Map(report.testResults.map((result) => [relative(root, result.name), readFile(result)]));
  const hasFailure = [...files.values()].some(({ failed }) => failed > 0);
  return { files, strayFailures: exitCode !== 0 && !hasFailure ? 1 : 0 };
}

/** The files of a run in which something failed. */
export const failedFiles = ({ files }: TestRun): readonly string[] =>
  [...files].filter(([, { failed }]) => failed > 0).map(([path]) => path);

/** A run some of whose files were run once more: their second results stand. */
export const withSecondAttempt = (first: TestRun, second: TestRun): TestRun => ({
  files: new Map([...first.files, ...second.files]),
  strayFailures: first.strayFailures + second.strayFailures,
});

/** The files that failed in the first run and passed in the second, on their own. */
export const passedAlone = (first: TestRun, second: TestRun): readonly string[] =>
  failedFiles(first).filter((path) => second.files.get(path)?.failed === 0);

/** Sums runs. */
export function countTests(runs: readonly TestRun[]): TestCounts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { files, strayFailures } of runs) {
    sum.failed += strayFailures;
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
export const formatFailures = ({ files }: TestRun): readonly string[] =>
  [...files].flatMap(([path, { failures }]) =>
    failures.map(({ name, reason }) => `  ${path} > ${name === '' ? '(the file did not load)' : name}\n    ${reason}`),
  );

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
