const dayMs = 86_400_000;

/** A client may prune the leaf from the day that the item names (SPEC.md §6). */
export function isPrunable(expiresAt: number, nowMs: number): boolean {
  return expiresAt > 0 && nowMs >= expiresAt * dayMs;
}

/**
 * The last day whose items lose their bodies now.
 *
 * Clients take a missing body for an attack until a whole day after its expiry; the second day is for clocks that differ.
 */
export function lastDroppedDay(nowMs: number): number {
  return Math.floor(nowMs / dayMs) - 2;
}
