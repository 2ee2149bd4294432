import { expect, test } from 'vitest';
import frozen from '../../vectors/sotto-v1-evidence.json' with { type: 'json' };
import { makeEvidenceVectors } from '../../vectors/making/evidence-vectors.ts';

test('sotto-v1-evidence.json is what the writers make from the same random bytes', () => {
  expect(JSON.parse(JSON.stringify(makeEvidenceVectors()))).toEqual(frozen);
});
