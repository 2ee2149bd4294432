// npm run check: everything about the code that needs no running system. One line a step; the output of what failed below it.
import { join } from 'node:path';
import { checkInstallSize } from './size/install-size.ts';
import { runCommand } from './running/run-command.ts';
import { checkSizeBudget } from './size/size-budget.ts';

const root = join(import.meta.dirname, '..');
const stepTimeoutMs = 5 * 60_000;

/** A step that runs a tool passes when the tool exits with 0. */
const tool = (command: readonly string[]) => async () => {
  const result = await runCommand(command, { cwd: root, timeoutMs: stepTimeoutMs, output: 'collect' });
  return { isPassed: result.exitCode === 0, note: '', output: result.output };
};

const steps = {
  types: tool(['tsc', '-b']),
  lint: tool(['oxlint', '--type-aware', '--deny-warnings']),
  format: tool(['oxfmt', '--check']),
  layers: tool(['vitest', 'run', '--project', 'unit', '--passWithNoTests', 'test/layers']),
  size: () => checkSizeBudget(root),
  install: () => Promise.resolve(checkInstallSize(root)),
};

for (const [name, run] of Object.entries(steps)) {
  const start = performance.now();
  const { isPassed, note, output } = await run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${isPassed ? 'ok    ' : 'FAILED'} ${name.padEnd(7)} ${seconds} s  ${note}`.trimEnd());
  if (!isPassed) {
    console.log(output);
    process.exitCode = 1;
  }
}
