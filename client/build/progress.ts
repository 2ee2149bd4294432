const everyMs = 2_000;

/**
 * Does work that may take a while, and says every two seconds that it goes on.
 *
 * @param say - Gets the seconds since the start of the work.
 */
export async function withProgress<T>(say: (seconds: number) => void, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  const timer = setInterval(() => say(Math.round((performance.now() - startedAtMs) / 1000)), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
