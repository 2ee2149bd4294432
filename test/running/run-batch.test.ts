import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type BatchLimits, runBatch } from './run-batch.ts';
import { countTests, formatFailures } from './run-report.ts';

const root = resolve(import.meta.dirname, '../..');
/** The files that vitest is asked to run in this order, one after the other. */
const files = {
  'a.test.ts': "test('passes', () => {}); test('has no reason to run', (it) => it.skip('no such machine'));",
  'b.test.ts': "beforeAll(() => { throw new Error('of a hook'); }); test('is never begun', () => {});",
  'c.test.ts': "test('stands still', () => { for (;;); });",
  'd.test.ts': "test('fails', () => { throw new Error('of its own'); });",
};

/** Inside the project, so that its packages are found. */
function makeBatch(names: readonly (keyof typeof files)[]) {
  mkdirSync(join(root, 'test/report'), { recursive: true });
  const folder = mkdtempSync(join(root, 'test/report/batch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of names) {
    writeFileSync(join(folder, name), `import { beforeAll, test } from 'vitest';\nvoid beforeAll;\n${files[name]}\n`);
  }
  const reporter = JSON.stringify(join(root, 'test/running/progress-reporter.ts'));
  const config = `import { ProgressReporter, progressVariable } from ${reporter};
    class ByName { shard(files) { return files; } sort(files) { return files.toSorted((a, b) => a.moduleId < b.moduleId ? -1 : 1); } }
    const reporters = [new ProgressReporter(process.env[progressVariable], import.meta.dirname)];
    export default { test: { reporters, maxWorkers: 1, sequence: { sequencer: ByName }, testTimeout: 3_600_000 } };`;
  writeFileSync(join(folder, 'vitest.config.ts'), config);
  return { folder, progressFile: join(folder, 'progress.jsonl') };
}

const run = (names: readonly (keyof typeof files)[], limits: BatchLimits) => {
  const { folder, progressFile } = makeBatch(names);
  return runBatch(['vitest', 'run', '--root', folder], { cwd: folder, progressFile, limits });
};

test('a batch that stands still is ended, and its results until then count', async () => {
  const names = ['a.test.ts', 'b.test.ts', 'c.test.ts', 'd.test.ts'] as const;
  const result = await run(names, { silenceMs: 30_000, endAtMs: Infinity });
  expect(formatFailures(result)).toEqual([
    '  b.test.ts > (the file itself)\n    of a hook',
    '  c.test.ts > (the file itself)\n    ended: no test finished for 30 s',
  ]);
  expect(result.notRun).toEqual(['d.test.ts']);
  expect(countTests([result])).toEqual({ passed: 1, failed: 2, skipped: 2 });
  expect(result.files.get('a.test.ts')?.skips).toEqual(['no such machine']);
});

test('a batch that goes on is left alone', async () => {
  const result = await run(['a.test.ts', 'd.test.ts'], { silenceMs: 60_000, endAtMs: Infinity });
  expect(formatFailures(result)).toEqual(['  d.test.ts > fails\n    of its own']);
  expect([result.notRun, countTests([result])]).toEqual([[], { passed: 1, failed: 1, skipped: 1 }]);
});

test('a batch ends with the time for all tests', async () => {
  const result = await run(['c.test.ts'], { silenceMs: Infinity, endAtMs: performance.now() + 15_000 });
  expect(countTests([result])).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(formatFailures(result).join()).toContain('ended: the time for all tests was over');
});
