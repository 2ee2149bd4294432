import type { Block } from './block-reader.ts';
import { breakGiants } from './giant-characters.ts';
import { dedent } from './plain-text.tsx';
import { type LiteralSource, protectLiterals } from './literal-signs.ts';

export type PreparedSource = LiteralSource & { readonly firstNumber: number | null };

/** A piece as the parser gets it: formulas set aside, headings with their space, a list that goes on with its number. */
export function prepareSource(block: Block): PreparedSource {
  const isCutList = block.kind === 'list' && block.continues;
  const own = isCutList || block.kind === 'text' ? withoutIndent(block.source) : block.source;
  const literal = protectLiterals(breakGiants(own).replaceAll(/^( {0,3}#{2,6})(?=[^#\s])/gm, '$1 '));
  return { ...literal, firstNumber: isCutList ? (block.from.open?.nextNumber ?? null) : null };
}

/** A paragraph that is indented as a whole is meant as a paragraph. */
function withoutIndent(source: string): string {
  return /^[ \t]/.test(source) ? dedent(source) : source;
}
