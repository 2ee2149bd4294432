import { appendFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule, TestSpecification } from 'vitest/node';
import type { FailedTest, FileResult } from './run-report.ts';

/** One line of a progress file. */
export type ProgressEvent =
  | { readonly event: 'start'; readonly files: readonly string[] }
  | { readonly event: 'begin' | 'test'; readonly file: string }
  | { readonly event: 'end'; readonly file: string; readonly result: FileResult }
  | { readonly event: 'finish'; readonly strayFailures: readonly string[] };

/** The variable that names the progress file to a batch of tests. */
export const progressVariable = 'TEST_PROGRESS_FILE';

// oxlint-disable-next-line no-control-regex -- colours are control characters.
const firstLine = (text: string) => text.replaceAll(/\u001B\[[\d;]*m/g, '').split('\n', 1)[0] ?? '';

/**
 * Writes each fact of a batch to a file as soon as it is known, a line of JSON each. A batch that is ended from outside leaves
 * what it came to, and whoever watches the file sees whether it still makes progress.
 */
export class ProgressReporter implements Reporter {
  readonly #path: string;
  readonly #root: string;

  /**
   * @param path - File that is written anew.
   * @param root - Folder that the paths of test files are told from.
   */
  constructor(path: string, root: string) {
    this.#path = path;
    this.#root = root;
    writeFileSync(path, '');
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#write({ event: 'start', files: specifications.map(({ moduleId }) => this.#pathOf(moduleId)) });
  }

  onTestModuleQueued({ moduleId }: TestModule): void {
    this.#write({ event: 'begin', file: this.#pathOf(moduleId) });
  }

  onTestCaseResult({ module }: { readonly module: TestModule }): void {
    this.#write({ event: 'test', file: this.#pathOf(module.moduleId) });
  }

  onTestModuleEnd(module: TestModule): void {
    this.#write({ event: 'end', file: this.#pathOf(module.moduleId), result: resultOf(module) });
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly { readonly message?: string }[]): void {
    this.#write({ event: 'finish', strayFailures: errors.map(({ message }) => firstLine(message ?? '')) });
  }

  #pathOf(moduleId: string): string {
    return relative(this.#root, moduleId);
  }

  #write(event: ProgressEvent): void {
    appendFileSync(this.#path, `${JSON.stringify(event)}\n`);
  }
}

/** A file that failed outside of its tests (it did not load, a hook failed) has one failure without a name for each error. */
function resultOf(module: TestModule): FileResult {
  let passed = 0;
  const skips: string[] = [];
  const failures: FailedTest[] = [];
  for (const testCase of module.children.allTests()) {
    const result = testCase.result();
    if (result.state === 'passed') passed += 1;
    else if (result.state === 'failed') {
      failures.push({ name: testCase.fullName, reason: firstLine(result.errors[0]?.message ?? '') });
    } else skips.push(result.state === 'skipped' ? (result.note ?? '') : 'did not finish');
  }
  const outside = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
  for (const { message } of outside) failures.push({ name: '', reason: firstLine(message) });
  return { passed, failed: failures.length, skipped: skips.length, failures, skips };
}
