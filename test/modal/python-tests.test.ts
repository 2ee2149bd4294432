import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pythonEnvironment, runPython } from '../parts/machine/python-environment.ts';

const environment = pythonEnvironment();
const python = environment.python ?? '';
const skipped = (reason: string | null) => (reason === null ? '' : ` (skipped: ${reason})`);

/** Why one test of processes_test.py cannot run here, the one that starts a process as another user; null where it must. */
const noOtherUser =
  process.getuid?.() !== 0 ? 'only root can' : existsSync('/usr/bin/python3') ? null : 'no python3 in /usr/bin';

describe.skipIf(environment.reason !== null)(`python of modal/${skipped(environment.reason)}`, () => {
  it.each([
    ['settings_test.py', 14],
    ['weights_test.py', 6],
    ['processes_test.py', 6, noOtherUser],
    ['training_data_test.py', 20],
    ['keeper_test.py', 8],
  ] as const)('%s passes, all %i of its tests', (file, count, exception = null) => {
    const result = runPython(python, [`test/modal/${file}`]);
    expect(result.error).toContain(`Ran ${count} tests`);
    expect(result.error.trim().split('\n').at(-1)).toBe(exception === null ? 'OK' : 'OK (skipped=1)');
    expect(result.status).toBe(0);
  });

  // So that what is skipped above is counted as skipped here.
  it.skipIf(noOtherUser !== null)(`processes_test.py starts a process as another user${skipped(noOtherUser)}`, () => {
    const result = runPython(python, ['test/modal/processes_test.py', '-k', 'another_user']);
    expect(result.error).toContain('Ran 1 test ');
    expect(result.error.trim().split('\n').at(-1)).toBe('OK');
  });
});
