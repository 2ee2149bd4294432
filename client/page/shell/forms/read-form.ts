import type { FormEvent } from 'react';

/**
 * Reads the fields of a form at its submit, not the state. Some password managers set values without an event, and React then
 * never hears of them.
 *
 * @param names - For each value the `name` of its field.
 */
export function readForm<Names extends Record<string, string>>(
  event: FormEvent,
  names: Names,
): { [Key in keyof Names]: string } {
  const fields = new FormData(event.currentTarget as HTMLFormElement);
  const read = Object.entries(names).map(([key, name]) => {
    const value = fields.get(name);
    return [key, typeof value === 'string' ? value : ''] as const;
  });
  return Object.fromEntries(read) as { [Key in keyof Names]: string };
}
