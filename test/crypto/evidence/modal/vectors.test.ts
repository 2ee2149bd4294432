import { expect, test } from 'vitest';
import { makeModalVectors } from '../../../vectors/making/modal-vectors.ts';
import frozen from '../../../vectors/sotto-v1-modal.json' with { type: 'json' };

test('sotto-v1-modal.json is what the writers make from the same random bytes', () => {
  expect(makeModalVectors()).toEqual(frozen);
});
