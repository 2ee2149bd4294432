import type { FeedbackType as Feedback, TranslationKeys } from '@zxcvbn-ts/core';
/** In the estimator's own codes. */
export type PasswordAdvice =
  | `warning.${keyof TranslationKeys['warnings']}`
  | `advice.${keyof TranslationKeys['suggestions']}`;

export type PasswordStrength = {
  /** 0 guessed at once, 4 hardly ever. */
  readonly score: 0 | 1 | 2 | 3 | 4;
  readonly advice: PasswordAdvice | null;
};

/** Longer passwords cost time and gain nothing in the estimate. */
const longestLooked = 100;

/** How long a guesser would need, judged in the browser alone. */
export async function estimateStrength(password: string, userName: string): Promise<PasswordStrength> {
  const { estimator } = await import('./password-estimator.ts');
  const { score, feedback } = estimator.check(password.slice(0, longestLooked), [userName, 'sotto']);
  return { score, advice: adviceOf(feedback) };
}

function adviceOf({ warning, suggestions }: Feedback): PasswordAdvice | null {
  if (warning !== null && warning !== '') return `warning.${warning as keyof TranslationKeys['warnings']}`;
  const [first] = suggestions;
  return first === undefined ? null : `advice.${first as keyof TranslationKeys['suggestions']}`;
}
