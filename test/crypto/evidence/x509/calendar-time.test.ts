import { expect, test } from 'vitest';
import { calendarTimeMs } from '../../../../crypto/evidence/x509/calendar-time.ts';
import { seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';

test('calendarTimeMs: says what Date says, from 1950 to 9999', () => {
  const next = seededNumbers(8);
  const first = Date.UTC(1950, 0, 1) / 1000;
  const last = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
  const moments = Array.from({ length: 2000 }, () => first + next(2 ** 32) * 59).filter((second) => second <= last);
  for (const second of [first, last, 0, -1, ...moments]) {
    const [year, month, day, ...time] = new Date(second * 1000).toISOString().split(/\D/).map(Number);
    expect(calendarTimeMs([year!, month!, day!, ...time.slice(0, 3)])).toBe(second * 1000);
  }
});

test.each([
  [[2024, 2, 30, 0, 0, 0]],
  [[2023, 2, 29, 0, 0, 0]],
  [[1900, 2, 29, 0, 0, 0]],
  [[2024, 0, 1, 0, 0, 0]],
  [[2024, 13, 1, 0, 0, 0]],
  [[2024, 1, 0, 0, 0, 0]],
  [[2024, 1, 1, 24, 0, 0]],
  [[2024, 1, 1, 0, 60, 0]],
  [[2024, 1, 1, 0, 0, 60]],
  [[2024, 1, 1, -1, 0, 0]],
  [[2024, 1, 1, 0, -1, 0]],
  [[2024, 1, 1, 0, 0, -1]],
  [[2024, 1, 1, 0, 0, 0.5]],
  [[2024, 1, 1.5, 0, 0, 0]],
  [[2024, 1, 1, 0, 0, Number.NaN]],
  [[1949, 12, 31, 0, 0, 0]],
  [[10_000, 1, 1, 0, 0, 0]],
  [[2024, 1, 1, 0, 0]],
  [[2024, 1, 1, 0, 0, 0, 0]],
  [[]],
])('calendarTimeMs: refuses %j', (fields) => {
  expect(() => calendarTimeMs(fields)).toThrow(expect.objectContaining({ code: 'malformed' }));
});
