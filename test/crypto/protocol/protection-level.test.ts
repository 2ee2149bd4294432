import { expect, test } from 'vitest';
import { compareLevels, higherLevel, isAtLeast, protectionLevels } from '../../../crypto/protocol/protection-level.ts';

test('protectionLevels: from nothing to everything, as SPEC.md §5.1 orders them', () => {
  expect(protectionLevels).toEqual(['any', 'stated', 'hardware', 'hardware-gpu']);
});

test.each([
  ['any', 'any', true],
  ['any', 'stated', false],
  ['stated', 'any', true],
  ['hardware', 'hardware-gpu', false],
  ['hardware-gpu', 'hardware', true],
  ['hardware-gpu', 'any', true],
] as const)('isAtLeast: %s under a minimum of %s is %s', (level, minimum, isEnough) => {
  expect(isAtLeast(level, minimum)).toBe(isEnough);
  expect(higherLevel(level, minimum)).toBe(isEnough ? level : minimum);
  expect(higherLevel(minimum, level)).toBe(isEnough ? level : minimum);
});

test('compareLevels: orders the levels, and one is equal to itself', () => {
  expect(protectionLevels.toSorted((a, b) => compareLevels(b, a))).toEqual(protectionLevels.toReversed());
  for (const level of protectionLevels) expect(compareLevels(level, level)).toBe(0);
});
