const dayMs = 86_400_000;

/** A time as the day at whose beginning it is over for certain; the relay learns no more than that (SPEC.md §5.3). */
export function roundUpToDay(timeMs: number): number {
  return Math.ceil(timeMs / dayMs);
}

/**
 * True if a relay may have dropped a body and kept its leaf. The expiry must be more than a day past, so that two clocks which
 * differ by hours agree. Before that, a missing body is a missing item.
 */
export function isMissingBodyAllowed(input: { readonly expiresAt: number; readonly nowMs: number }): boolean {
  return input.expiresAt !== 0 && input.nowMs > (input.expiresAt + 1) * dayMs;
}
