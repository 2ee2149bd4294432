/** A piece is cut at the next good place after so many characters, and anywhere after so many. */
export const goodLength = 1500;
export const longest = 2000;
/**
 * Emoji and the signs that join them take a layout far longer than letters, most of all where no font has them: each of their
 * units counts as three.
 */
const heavyUnits = /[\ud800-\udfff]|\u200d|\u20e3|\ufe0f|[\u2600-\u27bf]/g;
const heavyExtra = 2;
export const mostWeighed = 2 * goodLength + 1;

/** How long a part counts; of a very long one, as much as decides. */
export function weightOf(text: string, from: number, end: number): number {
  const part = text.slice(from, Math.min(end, from + mostWeighed));
  return part.length + heavyExtra * (part.match(heavyUnits)?.length ?? 0);
}

/** A part from `start` on that counts as one whole piece ends there. */
export function reachOf(text: string, start: number, end: number): number {
  let at = start;
  for (let weight = 0; at < end && weight < longest; at += 1) weight += weightOf(text, at, at + 1);
  return at;
}

/** After a sentence or a word, never inside a character. */
export function goodCut(text: string, from: number, end: number): number {
  const earliest = Math.max(from, end - goodLength) + 1;
  for (const sign of ['. ', '。', ' ']) {
    const found = text.lastIndexOf(sign, end - sign.length);
    if (found >= earliest) return found + sign.length;
  }
  // Neither half a character nor half of what is joined into one.
  let cut = end;
  while (cut > earliest && isJoined(text, cut)) cut -= 1;
  return cut > earliest ? cut : end - (isHalf(text, end) ? 1 : 0);
}

function isHalf(text: string, at: number): boolean {
  return (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

function isJoined(text: string, at: number): boolean {
  const next = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return isHalf(text, at) || text.charAt(at - 1) === '\u200d' || /[\u200d\p{M}\u{1f3fb}-\u{1f3ff}]/u.test(next);
}
