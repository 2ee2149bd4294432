/** The member of an object, or undefined for whatever has none. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

export function textOf(value: unknown, name: string): string {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : '';
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  const member = memberOf(value, name);
  return Array.isArray(member) ? (member as readonly unknown[]) : [];
}

/** A count as any server may write it; undefined for what is none. */
export function countOf(value: unknown, name: string): number | undefined {
  const given = memberOf(value, name);
  const member = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
  return typeof member === 'number' && Number.isSafeInteger(member) && member >= 0 ? member : undefined;
}
