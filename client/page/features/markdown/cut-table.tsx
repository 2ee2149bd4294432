import type { Components } from 'react-markdown';
import { memo } from 'react';
import type { Block } from './source/blocks/block-reader.ts';
import { cutTable } from './source/blocks/block-units.ts';
import { cellsOf, isTableRule } from './source/blocks/line-kinds.ts';
import { markdownComponents } from './elements/markdown-components.tsx';
import { FormattedText } from './markdown-piece.tsx';
import { PlainText } from './guards/plain-text.tsx';
import { protectLiterals } from './source/inline/literal-signs.ts';
import { RenderGuard } from './guards/render-guard.tsx';
import { isFormattable } from './source/text-limits.ts';
import { say } from '../../texts/say.ts';

/** Laying out a table takes all of its cells at once. */
const mostCells = 3000;

/** Each piece is read under the head of the table; only the first shows it. */
const headParts: Components = { ...markdownComponents, table: ({ children }) => children };
const bodyParts: Components = { ...headParts, thead: () => null };

/** A table that is read in pieces and shown as one. */
export function CutTable({ blocks }: { readonly blocks: readonly Block[] }) {
  const { head, bodies } = cutTable(blocks);
  const cells = blocks.reduce((sum, { source }) => sum + source.split('|').length, 0);
  if (cells > mostCells || !isHead(head) || !bodies.every((body) => isFormattable(head + body))) {
    return blocks.map((block, index) => <PlainText key={`piece-${index}`} text={block.source} />);
  }
  return (
    // It scrolls by itself as an uncut table does, also by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <figure aria-label={say('markdown.table')} className="wide-table" tabIndex={0}>
      <table>
        {bodies.map((body, index) => (
          <TablePart key={`piece-${index}`} head={head} body={body} isFirst={index === 0} />
        ))}
      </table>
    </figure>
  );
}

/** A head has as many cells as the row of dashes below it. */
function isHead(head: string): boolean {
  const [names = '', rule = ''] = protectLiterals(head).source.split('\n');
  return isTableRule(rule) && cellsOf(names) === cellsOf(rule);
}

type TablePartProps = { readonly head: string; readonly body: string; readonly isFirst: boolean };

const TablePart = memo(function TablePart({ head, body, isFirst }: TablePartProps) {
  const { source, isChanged } = protectLiterals(head + body);
  const plain = (
    <tbody>
      <tr>
        <td>
          <PlainText text={body} />
        </td>
      </tr>
    </tbody>
  );
  return (
    <RenderGuard text={body} fallback={plain}>
      <FormattedText source={source} restores={isChanged} components={isFirst ? headParts : bodyParts} />
    </RenderGuard>
  );
});
