const firstDelayMs = 500;
const longestDelayMs = 30_000;

/**
 * How long to wait before trying again: doubling, with jitter, so that a thousand clients of a relay that came back do not
 * come back in one moment.
 *
 * @param failures - In a row, 1 or more.
 * @param random - 0 to 1.
 */
export function backOffMs(failures: number, random: () => number): number {
  const ceiling = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 10));
  return ceiling / 2 + (ceiling / 2) * random();
}
