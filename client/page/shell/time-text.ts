const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** The time, with the day when it was not today. */
export function timeText(timeMs: number, nowMs: number = Date.now()): string {
  const sameDay = new Date(timeMs).toDateString() === new Date(nowMs).toDateString();
  return (sameDay ? timeOfDay : dayAndTime).format(timeMs);
}

export type ConversationAge = 'Today' | 'Yesterday' | 'Last 7 days' | 'Last 30 days' | 'Earlier';

/** The heading in the list of conversations that a time falls under; days turn at local midnight. */
export function ageOf(timeMs: number, nowMs: number): ConversationAge {
  const midnight = new Date(nowMs);
  midnight.setHours(0, 0, 0, 0);
  const daysAgo = Math.ceil((midnight.getTime() - timeMs) / 86_400_000);
  if (daysAgo <= 0) return 'Today';
  if (daysAgo === 1) return 'Yesterday';
  if (daysAgo <= 7) return 'Last 7 days';
  return daysAgo <= 30 ? 'Last 30 days' : 'Earlier';
}
