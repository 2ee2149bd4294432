import { describe, expect, it } from 'vitest';
import { pythonEnvironment, runPython } from '../parts/python-environment.ts';

const environment = pythonEnvironment();
const python = environment.python ?? '';
const because = environment.reason === null ? '' : ` (skipped: ${environment.reason})`;

describe.skipIf(environment.reason !== null)(`python of modal/${because}`, () => {
  it.each([
    ['settings_test.py', 13],
    ['weights_test.py', 6],
    ['processes_test.py', 6],
    ['training_data_test.py', 20],
    ['keeper_test.py', 8],
  ])('%s passes, all %i of its tests', (file, count) => {
    const result = runPython(python, [`test/modal/${file}`]);
    expect(result.error).toContain(`Ran ${count} tests`);
    expect(result.error.trim()).toMatch(/OK( \(skipped=1\))?$/);
    expect(result.status).toBe(0);
  });
});
