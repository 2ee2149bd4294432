// npm test: unit tests, then whole systems with a real browser, several files at a time, then one line with the sum.
// Arguments go to vitest: `npm test -- test/crypto` runs a folder, `npm test -- -t "rejects"` tests by name.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addCounts, countTests, formatCounts, type TestCounts } from './report-counts.ts';
import { runCommand } from './run-command.ts';

const root = join(import.meta.dirname, '..');
const reportFolder = join(root, 'test', 'report');
/** Ends a batch that hangs: together they stay under what CI allows. */
const batchTimeoutMs = 10 * 60_000;

rmSync(reportFolder, { recursive: true, force: true });
mkdirSync(reportFolder, { recursive: true });

let total: TestCounts = { passed: 0, failed: 0, skipped: 0 };
for (const project of ['unit', 'system']) {
  const report = join(reportFolder, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = ['vitest', 'run', '--project', project, '--passWithNoTests', ...reporters, ...process.argv.slice(2)];
  const { exitCode } = await runCommand(command, { cwd: root, timeoutMs: batchTimeoutMs, output: 'inherit' });
  total = addCounts(total, countTests(report, exitCode));
}
writeFileSync(join(reportFolder, 'counts.json'), JSON.stringify(total));
console.log(formatCounts(total));
// A run without a single test proves nothing: it fails like a run with a failed one.
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
