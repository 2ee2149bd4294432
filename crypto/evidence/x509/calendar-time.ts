import { CryptoError } from '../../protocol/bytes/errors.ts';

const daysPerMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * A moment of UTC in ms since 1970. This room has no clock, so that none is read by mistake, and thus no `Date`.
 *
 * @param fields - Year (1950 to 9999), month and day from 1, hour, minute, second; no leap seconds.
 * @throws {CryptoError} `malformed` for a moment that no calendar has.
 */
export function calendarTimeMs(fields: readonly number[]): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const daysOf = (index: number) => (daysPerMonth[index] ?? 0) + (index === 1 && isLeapYear ? 1 : 0);
  const isMoment =
    fields.length === 6 &&
    fields.every((field) => Number.isInteger(field)) &&
    year >= 1950 &&
    year <= 9999 &&
    day >= 1 &&
    day <= daysOf(month - 1) &&
    Math.min(hour, minute, second) >= 0 &&
    hour < 24 &&
    Math.max(minute, second) < 60;
  if (!isMoment) throw new CryptoError('malformed');
  const before = year - 1;
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
  for (let index = 0; index < month - 1; index++) days += daysOf(index);
  return ((((days + day - 1) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}
