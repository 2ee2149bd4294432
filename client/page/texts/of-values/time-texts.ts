import { languageTag } from '../say.ts';

const looks = {
  /** 14:05 */
  time: { hour: '2-digit', minute: '2-digit' },
  'day-and-time': { dateStyle: 'medium', timeStyle: 'short' },
  'long-day-and-time': { dateStyle: 'long', timeStyle: 'short' },
  moment: { dateStyle: 'medium', timeStyle: 'medium' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

const formats = new Map<string, Intl.DateTimeFormat>();

/** A time as the person's language and region write it, in the zone of this device. */
export function writeTime(timeMs: number, look: keyof typeof looks): string {
  const key = `${languageTag()} ${look}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(languageTag(), looks[look]);
  formats.set(key, format);
  return format.format(timeMs);
}

/** The time, with the day when it was not today. */
export function timeText(timeMs: number, nowMs: number = Date.now()): string {
  const sameDay = new Date(timeMs).toDateString() === new Date(nowMs).toDateString();
  return writeTime(timeMs, sameDay ? 'time' : 'day-and-time');
}

/** "40 %", as the language writes it; a part of 0.999 is not yet all. */
export function percentText(part: number): string {
  const whole = Math.floor(part * 100) / 100;
  return new Intl.NumberFormat(languageTag(), { style: 'percent' }).format(whole);
}

export type ConversationAge = 'today' | 'yesterday' | 'week' | 'month' | 'earlier';

/** The heading in the list of conversations that a time falls under; days turn at local midnight. */
export function ageOf(timeMs: number, nowMs: number): ConversationAge {
  const midnight = new Date(nowMs);
  midnight.setHours(0, 0, 0, 0);
  const daysAgo = Math.ceil((midnight.getTime() - timeMs) / 86_400_000);
  if (daysAgo <= 0) return 'today';
  if (daysAgo === 1) return 'yesterday';
  if (daysAgo <= 7) return 'week';
  return daysAgo <= 30 ? 'month' : 'earlier';
}
