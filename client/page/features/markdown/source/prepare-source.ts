import type { Block } from './blocks/block-reader.ts';
import { breakGiants } from './giant-characters.ts';
import { cellsOf, closesFence, indentOf, isBlank, listMarker, openingFence } from './blocks/line-kinds.ts';
import { afterMarker } from './blocks/open-block.ts';
import { dedent } from './dedent.ts';
import { type LiteralSource, protectLiterals } from './inline/literal-signs.ts';

const mostCells = 100;

export type PreparedSource = LiteralSource & { readonly firstNumber: number | null };

/** A piece as the parser gets it: formulas set aside, headings with their space, a list that goes on with its number. */
export function prepareSource(block: Block): PreparedSource {
  const isCutList = block.kind === 'list' && block.continues;
  const source = block.kind === 'list' ? withIndentedCode(block) : block.source;
  const own = isCutList || block.kind === 'text' ? withoutIndent(source) : source;
  const meant = block.kind === 'table' ? withWholeRule(own) : block.kind === 'text' ? withoutUnderlines(own) : own;
  const literal = protectLiterals(breakGiants(meant).replaceAll(/^( {0,3}#{2,6})(?=[^#\s])/gm, '$1 '));
  return { ...literal, firstNumber: isCutList ? (block.from.open?.nextNumber ?? null) : null };
}

/** A paragraph that is indented as a whole is meant as a paragraph. */
function withoutIndent(source: string): string {
  return /^[ \t]/.test(source) ? dedent(source) : source;
}

/** Code of an item, and the fence behind it, stand as far inside as the fence before it: else the item would end there. */
function withIndentedCode({ source, from }: Block): string {
  if (!/^[ \t]*(?:\S+[ \t]+)?(?:`{3}|~{3})/m.test(source) || (from.open?.fence ?? null) !== null) return source;
  const lines = source.split('\n');
  const result: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    result.push(line);
    const marker = listMarker(line);
    const fence = openingFence(afterMarker(line, marker));
    if (fence === null) continue;
    const indent = marker === null ? indentOf(line) : marker.contentIndent;
    let end = index + 1;
    while (end < lines.length && !closesFence(lines[end] ?? '', fence)) end += 1;
    const code = lines.slice(index + 1, end);
    const indents = code.filter((each) => !isBlank(each)).map((each) => indentOf(each));
    const missing = indents.length === 0 ? 0 : Math.max(0, indent - Math.min(...indents));
    result.push(...code.map((each) => (isBlank(each) ? each : ' '.repeat(missing) + each)));
    const closing = lines[end];
    if (closing !== undefined) result.push(' '.repeat(Math.max(0, indent - indentOf(closing))) + closing);
    index = end;
  }
  return result.join('\n');
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
