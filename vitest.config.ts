import { defineConfig } from 'vitest/config';

/** Whole systems with a real browser. They wait for paced frames more than they compute, so three go on at a time on two cores. */
const systemTests = ['test/end-to-end/**/*.test.{ts,tsx}', 'test/canary/**/*.test.{ts,tsx}'];
/** One PostgreSQL for the whole run, started by the first test that asks. */
const globalSetup = ['test/parts/shared-postgres.ts'];

export default defineConfig({
  test: {
    globalSetup,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: systemTests,
          pool: 'forks',
          // Many wait for real processes, ticks and browsers: two files at a time would leave half of two cores idle.
          maxWorkers: 4,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: systemTests,
          pool: 'forks',
          maxWorkers: 3,
          globalSetup: ['test/parts/built-client.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
