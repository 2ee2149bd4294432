/*
 * Mathematics is full of signs that Markdown takes for its own: `a_1`, `\\`, `|x|`. Before parsing they become characters that mean
 * nothing to a parser, and in its result they become themselves again, whatever it took them for. So do pipes inside code, which
 * would end a table's cell.
 */
const firstStandIn = 0xe100;
const standIns = /[\ue100-\ue17f]/g;
const longestFormula = 3000;
const longestInLine = 300;

export type LiteralSource = { readonly source: string; readonly isChanged: boolean };

export function protectLiterals(given: string): LiteralSource {
  if (!/[$\\`>]|__[a-z]/.test(given) || standIns.test(given)) {
    standIns.lastIndex = 0;
    return { source: given, isChanged: false };
  }
  const source = given.replaceAll(comparison, (_whole, sign: string) => sign + standIn('>'));
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
  return { source: result, isChanged: result !== given };
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
      if (source.startsWith('\\(', at)) return Math.max(closed(source, at, '\\)', longestFormula), at + 2);
      if (source.startsWith('\\begin{', at)) return environmentEnd(source, at);
      return source.startsWith('\\[', at) ? closed(source, at, '\\]', longestFormula) : at;
    case '$':
      return source.startsWith('$$', at) ? closed(source, at, '$$', longestFormula) : dollarEnd(source, at);
    case '_':
      return dunderEnd(source, at);
    default:
      return at;
  }
}

/** `- > 25` is a comparison in an item, no quote. */
const comparison = /^([ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+)>(?=[ \t]?=?[ \t]?[\d$€£])/gm;

function environmentEnd(source: string, at: number): number {
  const name = /^\\begin(\{[A-Za-z]{1,30}\*?\})/.exec(source.slice(at, at + 50))?.[1];
  return name === undefined ? at : closed(source, at, `\\end${name}`, longestFormula);
}

/** Names that Python itself gives meaning to. As bold words they would be the names of something else. */
const dunder =
  /^__(?:all|annotations|bool|builtins|call|class|contains|copy|debug|deepcopy|del|delattr|delitem|dict|dir|doc|enter|eq|exit|file|format|future|ge|get|getattr|getattribute|getitem|gt|hash|import|init|init_subclass|int|iter|ixor|le|len|loader|lt|main|metaclass|missing|module|mro|mul|name|ne|new|next|package|path|post_init|pycache|qualname|reduce|repr|reversed|set|setattr|setitem|setstate|sizeof|slots|str|sub|subclasses|add|aenter|aexit|aiter|anext|await|and|or|version|weakref)__(?!\w)|^__[a-z]\w{0,40}?__(?=\.py\b|\()/;

function dunderEnd(source: string, at: number): number {
  if (/\w/.test(source.charAt(at - 1))) return at;
  return at + (dunder.exec(source.slice(at, at + 60))?.[0].length ?? 0);
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
