import { indentOf, listMarker } from './blocks/line-kinds.ts';

/*
 * Some parsers of Markdown take time that grows with the square of what they read, or go one call deeper for each sign. So a
 * piece is counted before any of them sees it, in one pass. A piece with more of a sign than people write is shown as plain
 * text.
 */
type Counted = { readonly sign: RegExp; readonly most: number };

/** Per piece of at most some thousand characters; a page of prose has a tenth of it. */
const counted: readonly Counted[] = [
  { sign: /\*+|_+|~+/g, most: 300 },
  { sign: /[*_~]/g, most: 500 },
  { sign: /\[/g, most: 150 },
  { sign: /\]/g, most: 150 },
  { sign: /`+/g, most: 300 },
  { sign: /[<>]/g, most: 300 },
  { sign: /&/g, most: 100 },
  { sign: /@/g, most: 100 },
  { sign: /www\.|https?:/gi, most: 100 },
  { sign: /\|/g, most: 800 },
  { sign: /\\/g, most: 800 },
  { sign: /^[ \t]*(?:=+|-+)[ \t]*$/gm, most: 20 },
];
const deepest = 10;

/** True if a piece may be read as Markdown. */
export function isFormattable(source: string): boolean {
  return counted.every(({ sign, most }) => !occursMoreThan(source, sign, most)) && !isDeep(source);
}

function occursMoreThan(source: string, sign: RegExp, most: number): boolean {
  let count = 0;
  for (const _ of source.matchAll(sign)) {
    count += 1;
    if (count > most) return true;
  }
  return false;
}

/** Lists and quotes inside each other, by their signs on one line and by their indents over many. */
function isDeep(source: string): boolean {
  const indents: number[] = [];
  for (const line of source.split('\n')) {
    if (signsAtStart(line) > deepest) return true;
    if (listMarker(line) === null) continue;
    const indent = indentOf(line);
    while ((indents.at(-1) ?? -1) >= indent) indents.pop();
    indents.push(indent);
    if (indents.length > deepest) return true;
  }
  return false;
}

function signsAtStart(line: string): number {
  let count = 0;
  let rest = line.slice(0, 300);
  for (let sign = nextSign(rest); sign !== null && count <= deepest; sign = nextSign(rest)) {
    count += 1;
    rest = rest.slice(sign.length);
  }
  return count;
}

function nextSign(line: string): string | null {
  return /^[ \t]*(?:>|[-*+](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$))/.exec(line)?.[0] ?? null;
}
