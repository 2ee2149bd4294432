/*
 * How a line begins, read from its first characters alone: a line of a megabyte costs as much as a short one. The parser decides
 * what a block is; this only tells where one may end.
 */
const readLength = 300;

export type ListMarker = { readonly sign: string; readonly number: number | null; readonly contentIndent: number };

export function indentOf(line: string): number {
  let columns = 0;
  for (const character of line.slice(0, readLength)) {
    if (character === ' ') columns += 1;
    else if (character === '\t') columns += 4 - (columns % 4);
    else return columns;
  }
  return columns;
}

export function isBlank(line: string): boolean {
  return line.trim() === '';
}

/** `- `, `* `, `+ `, `1. ` or `1) ` after any indent; null for other lines. */
export function listMarker(line: string): ListMarker | null {
  const match = /^[ \t]*(?:([-*+])|(\d{1,9})([.)]))(?:([ \t]{1,4})(?=\S)|[ \t]|$)/.exec(line.slice(0, readLength));
  if (match === null) return null;
  const [, bullet, digits, delimiter, gap] = match;
  const sign = bullet ?? delimiter ?? '';
  const width = bullet === undefined ? (digits?.length ?? 0) + 1 : 1;
  return {
    sign,
    number: digits === undefined ? null : Number(digits),
    contentIndent: indentOf(line) + width + (gap?.length ?? 1),
  };
}

/** The signs that open a fence of code, null for other lines. */
export function openingFence(line: string): string | null {
  const start = line.slice(0, readLength);
  const fence = /^[ \t]*(`{3,}|~{3,})/.exec(start)?.[1];
  if (fence === undefined) return null;
  // Backticks later in the line make it a span of code, no block.
  return fence.startsWith('`') && start.slice(start.indexOf(fence) + fence.length).includes('`') ? null : fence;
}

/** A fence that holds Markdown may hold fences of the same length. */
export function holdsMarkdown(line: string): boolean {
  return /^[ \t]*(?:`{3,}|~{3,})[ \t]*(?:md|markdown|mdx)\b/i.test(line.slice(0, readLength));
}

/** A fence that names a language, inside of another one. */
export function innerFence(line: string, outer: string): string | null {
  const fence = openingFence(line);
  const isNamed = fence !== null && /^[ \t]*[`~]{3,}[ \t]*[A-Za-z]/.test(line.slice(0, readLength));
  return isNamed && fence.charAt(0) === outer.charAt(0) && fence.length >= outer.length ? fence : null;
}

/** @returns the place of a fence behind words on their line, as in "Run this: ```bash"; -1 where there is none. */
export function fenceBehindWords(line: string): number {
  if (line.length > readLength || listMarker(line) !== null || isQuote(line)) return -1;
  const match = /^([^`]*\S[^`]*?)[ \t]*(`{3,})([A-Za-z][\w+#.-]{0,20})?[ \t]*\r?$/.exec(line);
  if (match === null) return -1;
  const [, words = '', signs = '', language] = match;
  return language !== undefined || words.endsWith(':') ? line.indexOf(signs) : -1;
}

export function closesFence(line: string, fence: string): boolean {
  const closing = line.trim();
  return (
    closing.length >= fence.length && closing.length < readLength && closing === fence.charAt(0).repeat(closing.length)
  );
}

export function isHeading(line: string): boolean {
  return /^ {0,3}(?:#{1,6}(?:[ \t]|$)|#{2,6}[^#\s])/.test(line.slice(0, readLength));
}

/** `***` or `___`; `---` too, which is a heading's underline after words. */
export function isRule(line: string): boolean {
  const signs = line.slice(0, readLength).replaceAll(/[ \t\r]/g, '');
  return signs.length >= 3 && '-*_'.includes(signs.charAt(0)) && signs === signs.charAt(0).repeat(signs.length);
}

export function isQuote(line: string): boolean {
  return /^ {0,3}>/.test(line);
}

/** The row of dashes under the head of a table. */
export function isTableRule(line: string): boolean {
  return line.length <= 2000 && /^[ \t|:-]+\r?$/.test(line) && line.includes('-') && line.includes('|');
}

/** How many cells a row has. */
export function cellsOf(row: string): number {
  return row.replaceAll(/\\./g, '').trim().replace(/^\|/, '').replace(/\|$/, '').split('|').length;
}

/** `[name]: address`, alone on its line, with or without a title. */
export function linkDefinition(line: string): string | null {
  const match =
    /^ {0,3}\[((?:[^[\]\\^]|\\.)(?:[^[\]\\]|\\.){0,200})\]:[ \t]*(?:<[^<>]*>|[^\s<]\S*)(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*$/.exec(
      line.slice(0, 4000),
    );
  return match?.[1] === undefined ? null : labelKey(match[1]);
}

/** `[^name]: note`. */
export function noteName(line: string): string | null {
  const name = /^ {0,3}\[\^([^\]\s]{1,100})\]:/.exec(line.slice(0, readLength))?.[1];
  return name === undefined ? null : labelKey(name);
}

/** Names are the same whatever their case and spaces. */
export function labelKey(label: string): string {
  return label.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

export type TexSigns = { readonly open: string; readonly close: string };

/** Mathematics that stands in lines of its own: `\[` … `\]`, `$$` … `$$` or `\begin{…}` … `\end{…}`. */
export function displayTex(line: string): TexSigns | null {
  const start = line.slice(0, readLength).trimStart();
  const environment = /^\\begin(\{[A-Za-z]{1,30}\*?\})/.exec(start)?.[1];
  const signs = start.startsWith('\\[')
    ? { open: '\\[', close: '\\]' }
    : start.startsWith('$$')
      ? { open: '$$', close: '$$' }
      : environment === undefined
        ? null
        : { open: '\\begin', close: `\\end${environment}` };
  if (signs === null) return null;
  const closedAt = start.indexOf(signs.close, 2);
  // Words after it: the mathematics stands inside a sentence.
  return closedAt >= 0 && start.slice(closedAt + signs.close.length).trim() !== '' ? null : signs;
}

export type DetailsTag = { readonly kind: 'details' | 'end-details'; readonly summary: string };

/** `<details>` with its `<summary>`, or `</details>`, alone on a line. */
export function detailsTag(line: string): DetailsTag | null {
  const start = line.slice(0, readLength).trim();
  if (/^<\/details\s*>$/i.test(start)) return { kind: 'end-details', summary: '' };
  const match = /^<details(?:\s+open(?:="")?)?\s*>\s*(?:<summary>(.*?)<\/summary>)?$/i.exec(start);
  return match === null ? null : { kind: 'details', summary: match[1] ?? '' };
}

/** `<summary>…</summary>` alone on a line. */
export function summaryTag(line: string): string | null {
  return /^\s*<summary>(.*?)<\/summary>\s*$/i.exec(line.slice(0, readLength))?.[1] ?? null;
}
