import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { progressVariable } from './progress-reporter.ts';
import { runCommand } from './run-command.ts';
import { readProgress, readTestRun, type TestRun } from './run-report.ts';

/** When a batch of tests is ended from outside. */
export interface BatchLimits {
  /** Longest time without a finished test. */
  readonly silenceMs: number;
  /** Moment of `performance.now()` at which everything ends. */
  readonly endAtMs: number;
}

const lookEveryMs = 500;

/**
 * Runs a command that reports its tests to a progress file, for as long as it makes progress.
 *
 * @param command - As `runCommand` takes it.
 * @param progressFile - Written by the command: `TEST_PROGRESS_FILE` names it.
 */
export async function runBatch(
  command: readonly string[],
  { cwd, progressFile, limits }: { readonly cwd: string; readonly progressFile: string; readonly limits: BatchLimits },
): Promise<TestRun> {
  const running = new AbortController();
  const tooLate = new AbortController();
  const watching = watchProgress(progressFile, limits, running.signal).then((cause) => {
    if (cause !== null) tooLate.abort();
    return cause;
  });
  const { exitCode } = await runCommand(command, {
    cwd,
    timeoutMs: 2 ** 31 - 1,
    signal: tooLate.signal,
    output: 'inherit',
    variables: { [progressVariable]: progressFile },
  }).finally(() => running.abort());
  return readTestRun(readProgress(progressFile), { exitCode, cause: await watching });
}

/** @returns why the batch has to end, or null once it ended by itself. */
async function watchProgress(path: string, { silenceMs, endAtMs }: BatchLimits, signal: AbortSignal) {
  let seen = 0;
  let seenAtMs = performance.now();
  while (!signal.aborted) {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const nowMs = performance.now();
    if (size !== seen) {
      seen = size;
      seenAtMs = nowMs;
    }
    if (nowMs - seenAtMs > silenceMs) return `ended: no test finished for ${Math.round(silenceMs / 1000)} s`;
    if (nowMs > endAtMs) return 'ended: the time for all tests was over';
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return null;
}
