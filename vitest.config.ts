import { defineConfig } from 'vitest/config';
import { ProgressReporter, progressVariable } from './test/running/progress-reporter.ts';

/** Whole systems with a real browser. They wait for paced frames more than they compute, so three go on at a time on two cores. */
const systemTests = ['test/end-to-end/**/*.test.{ts,tsx}', 'test/canary/**/*.test.{ts,tsx}'];
/** One PostgreSQL for the whole run, started by the first test that asks. */
const globalSetup = ['test/parts/storage/shared-postgres.ts'];

/** Named by `npm test`, which watches the file and sums it up. */
const progressFile = process.env[progressVariable];
/**
 * Bounds of what hangs, not of what is slow: a machine with other work takes many times as long. `npm test` ends a batch in which
 * nothing finishes.
 */
const patience = { testTimeout: 180_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    globalSetup,
    reporters: [
      'default',
      ...(progressFile === undefined ? [] : [new ProgressReporter(progressFile, import.meta.dirname)]),
    ],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: systemTests,
          pool: 'forks',
          // Many wait for real processes, ticks and browsers: two files at a time would leave half of two cores idle.
          maxWorkers: 4,
          ...patience,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: systemTests,
          pool: 'forks',
          maxWorkers: 3,
          globalSetup: ['test/parts/machine/built-client.ts'],
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
