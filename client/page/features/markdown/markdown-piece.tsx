import { memo } from 'react';
import Markdown, { type Components, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import type { Block } from './source/blocks/block-reader.ts';
import { markdownComponents } from './elements/markdown-components.tsx';
import { remarkModelMarkdown } from './source/inline/model-markdown.ts';
import { PlainText } from './guards/plain-text.tsx';
import { prepareSource } from './source/prepare-source.ts';
import { definitionsFor, type References, unnamedLines } from './source/inline/references.ts';
import { RenderGuard } from './guards/render-guard.tsx';
import { safeAddress } from './source/inline/safe-address.ts';
import { isFormattable } from './source/text-limits.ts';

type MarkdownPieceProps = { readonly block: Block; readonly references: References };

/** One piece of a reply: formatted if it keeps to the limits, else its words as they are. */
export const MarkdownPiece = memo(function MarkdownPiece({ block, references }: MarkdownPieceProps) {
  const shown = block.kind === 'definitions' ? { ...block, source: unnamedLines(block, references) } : block;
  if (shown.source === '') return null;
  const { source, isChanged, firstNumber } = prepareSource(shown);
  return (
    <div className={block.continues ? 'prose-block prose-continues' : 'prose-block'}>
      <RenderGuard text={block.source} fallback={<PlainText text={block.source} />}>
        {block.kind === 'tex' ? (
          <PlainText text={block.source} />
        ) : (
          <FormattedText
            source={source}
            definitions={definitionsFor(shown, references)}
            restores={isChanged}
            firstNumber={firstNumber}
          />
        )}
      </RenderGuard>
    </div>
  );
});

type FormattedTextProps = {
  readonly source: string;
  readonly definitions?: string;
  readonly restores: boolean;
  readonly firstNumber?: number | null;
  readonly components?: Components;
};

export const FormattedText = memo(function FormattedText(props: FormattedTextProps) {
  const { source, definitions = '', restores, firstNumber = null, components = markdownComponents } = props;
  if (!isFormattable(source)) return <PlainText text={source} />;
  const plugins: Options['remarkPlugins'] = [
    // One tilde is an "about", two strike out.
    [remarkGfm, { singleTilde: false }],
    [remarkModelMarkdown, { restores, firstNumber }],
  ];
  return (
    <Markdown remarkPlugins={plugins} components={components} urlTransform={safeAddress}>
      {definitions === '' ? source : `${source}\n\n${definitions}`}
    </Markdown>
  );
});
