export type PasswordStrength = {
  /** 0 guessed at once, 4 hardly ever. */
  readonly score: 0 | 1 | 2 | 3 | 4;
  readonly advice: string | null;
};

/** Longer passwords cost time and gain nothing in the estimate. */
const longestLooked = 100;

/** How long a guesser would need, judged in the browser alone. */
export async function estimateStrength(password: string, userName: string): Promise<PasswordStrength> {
  const { estimator } = await import('./password-estimator.ts');
  const { score, feedback } = estimator.check(password.slice(0, longestLooked), [userName, 'sotto']);
  return { score, advice: feedback.warning ?? feedback.suggestions[0] ?? null };
}
