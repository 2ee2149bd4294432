import type { Block } from './block-reader.ts';
import { breakGiants } from './giant-characters.ts';
import { cellsOf } from './line-kinds.ts';
import { dedent } from './plain-text.tsx';
import { type LiteralSource, protectLiterals } from './literal-signs.ts';

const mostCells = 100;

export type PreparedSource = LiteralSource & { readonly firstNumber: number | null };

/** A piece as the parser gets it: formulas set aside, headings with their space, a list that goes on with its number. */
export function prepareSource(block: Block): PreparedSource {
  const isCutList = block.kind === 'list' && block.continues;
  const own = isCutList || block.kind === 'text' ? withoutIndent(block.source) : block.source;
  const meant = block.kind === 'table' ? withWholeRule(own) : block.kind === 'text' ? withoutUnderlines(own) : own;
  const literal = protectLiterals(breakGiants(meant).replaceAll(/^( {0,3}#{2,6})(?=[^#\s])/gm, '$1 '));
  return { ...literal, firstNumber: isCutList ? (block.from.open?.nextNumber ?? null) : null };
}

/** A paragraph that is indented as a whole is meant as a paragraph. */
function withoutIndent(source: string): string {
  return /^[ \t]/.test(source) ? dedent(source) : source;
}

/** Under a sentence or several lines, dashes are a rule; one or two of them are no underline at all. */
function withoutUnderlines(source: string): string {
  if (!/^ {0,3}(?:-+|=+)[ \t]*\r?$/m.test(source)) return source;
  const lines = source.split('\n');
  return lines
    .map((line, index) => {
      const before = lines[index - 1]?.trim() ?? '';
      if (before === '') return line;
      if (/^ {0,3}(?:--?|==?)[ \t]*\r?$/.test(line)) return line.replace(/[-=]/, '\\$&');
      const isWords =
        before.length > 80 || /[.!?:;,。！？：；，)）"”]$/.test(before) || (lines[index - 2]?.trim() ?? '') !== '';
      return isWords && /^ {0,3}-{3,}[ \t]*\r?$/.test(line) ? `\n${line}` : line;
    })
    .join('\n');
}

/** The row of dashes gets as many cells as the head: with another number there would be no table. */
function withWholeRule(source: string): string {
  const [head = '', rule = '', ...rows] = source.split('\n');
  const cells = cellsOf(protectLiterals(head).source);
  const given = cellsOf(rule);
  if (!head.trimStart().startsWith('|') || given === cells || cells > mostCells) return source;
  const parts = rule.trim().replace(/^\|/, '').replace(/\|$/, '').split('|').slice(0, cells);
  const whole = [...parts, ...Array.from({ length: cells - parts.length }, () => '---')];
  return [head, `${/^\s*/.exec(rule)?.[0] ?? ''}|${whole.join('|')}|`, ...rows].join('\n');
}
