import { expect, test } from 'vitest';
import { ageOf, timeText } from '../../../../../client/page/texts/of-values/time-texts.ts';

const now = new Date(2026, 10, 22, 15, 0, 0).getTime();
const dayMs = 86_400_000;

test.each([
  [now, 'today'],
  [new Date(2026, 10, 22, 0, 0, 0).getTime(), 'today'],
  [new Date(2026, 10, 21, 23, 59, 59).getTime(), 'yesterday'],
  [new Date(2026, 10, 21, 0, 0, 0).getTime(), 'yesterday'],
  [new Date(2026, 10, 20, 23, 59, 59).getTime(), 'week'],
  [now - 7 * dayMs, 'week'],
  [now - 9 * dayMs, 'month'],
  [now - 60 * dayMs, 'earlier'],
  // A device whose clock is ahead.
  [now + dayMs, 'today'],
])('ageOf: %i is %s', (timeMs, age) => {
  expect(ageOf(timeMs, now)).toBe(age);
});

test('timeText: the day stands there only when it was another', () => {
  expect(timeText(now - 3_600_000, now)).not.toContain('2026');
  expect(timeText(now - 3 * dayMs, now)).toContain('2026');
});
