/** Puts tables of names together. @throws {Error} with the complaint, for a name that two of them have. */
export function namedOnce<Value>(
  tables: readonly Readonly<Record<string, Value>>[],
  complaint: string,
): ReadonlyMap<string, Value> {
  const all = tables.flatMap((table) => Object.entries(table));
  const named = new Map(all);
  if (named.size !== all.length) throw new Error(complaint);
  return named;
}
