/*
 * Signs that join or stand on what is before them make one character of any number of them. A line breaks inside none, so one
 * of a thousand would be wider than any screen. No script and no emoji has nearly so many.
 */
const mostJoined = 16;
const giant = new RegExp(
  `((?:[\\p{M}\\u{1f3fb}-\\u{1f3ff}]|\\u200d\\P{M}?){${mostJoined}})(?=[\\p{M}\\u200d\\u{1f3fb}-\\u{1f3ff}])`,
  'gu',
);

/** Lets a line break inside characters that are joined of far too many signs. */
export function breakGiants(text: string): string {
  return text.replaceAll(giant, '$1\u200b');
}
