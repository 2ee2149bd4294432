/*
 * Mathematics is full of signs that Markdown takes for its own: `a_1`, `\\`, `|x|`. Before parsing they become characters that mean
 * nothing to a parser, and in its result they become themselves again, whatever it took them for. So do pipes inside code, which
 * would end a table's cell.
 */
const firstStandIn = 0xe100;
const standIns = /[\ue100-\ue17f]/g;
const longestFormula = 1000;
const longestInLine = 300;

export type LiteralSource = { readonly source: string; readonly isChanged: boolean };

export function protectLiterals(source: string): LiteralSource {
  if (!/[$\\`]/.test(source) || standIns.test(source)) {
    standIns.lastIndex = 0;
    return { source, isChanged: false };
  }
  let result = '';
  let at = 0;
  while (at < source.length) {
    const end = literalEnd(source, at);
    const character = source.charAt(at);
    if (end > at && character === '`') result += pipesAside(source.slice(at, end));
    else if (end > at) result += source.slice(at, end).replaceAll(/[!-/:-@[-`{-~]/g, standIn);
    else result += character === '\\' ? source.slice(at, at + 2) : character;
    at = end > at ? end : at + (character === '\\' ? 2 : 1);
  }
  return { source: result, isChanged: result !== source };
}

export function restoreLiterals(text: string): string {
  return text.replaceAll(standIns, (character) => String.fromCharCode(character.charCodeAt(0) - firstStandIn));
}

/** A pipe behind a backslash is a cell's own way to write one. */
function pipesAside(code: string): string {
  return code.replaceAll(/\\?\|/g, (pipe) => (pipe === '|' ? standIn(pipe) : pipe));
}

function standIn(character: string): string {
  return String.fromCharCode(firstStandIn + character.charCodeAt(0));
}

/** Where the formula or the code ends that begins here; `at` itself where none does. */
function literalEnd(source: string, at: number): number {
  switch (source.charAt(at)) {
    case '`':
      return codeEnd(source, at);
    case '\\':
      if (source.startsWith('\\(', at)) return closed(source, at, '\\)', longestFormula);
      return source.startsWith('\\[', at) ? closed(source, at, '\\]', longestFormula) : at;
    case '$':
      return source.startsWith('$$', at) ? closed(source, at, '$$', longestFormula) : dollarEnd(source, at);
    default:
      return at;
  }
}

function closed(source: string, at: number, close: string, longest: number): number {
  const inside = source.slice(at + 2, at + longest);
  const end = inside.indexOf(close);
  return end <= 0 || /\n[ \t]*\n/.test(inside.slice(0, end)) ? at : at + 2 + end + close.length;
}

function codeEnd(source: string, at: number): number {
  const sign = /^`+/.exec(source.slice(at, at + longestInLine))?.[0] ?? '`';
  let found = source.indexOf(sign, at + sign.length);
  // A longer run of the same sign closes nothing.
  while (found >= 0 && source.charAt(found + sign.length) === '`') {
    let next = found;
    while (source.charAt(next) === '`') next += 1;
    found = source.indexOf(sign, next);
  }
  return found < 0 ? at : found + sign.length;
}

/** Pandoc's rule: `$` touches what it opens and closes, and no digit follows the second; so `$5 and $9` stay amounts. */
function dollarEnd(source: string, at: number): number {
  const rest = source.slice(at, at + longestInLine);
  const formula = /^\$(?=[^\s$])(?:[^$\\\n]|\\.)*?(?:[^\s$\\]|\\\S)\$(?!\d)/.exec(rest)?.[0];
  return formula === undefined ? at : at + formula.length;
}
