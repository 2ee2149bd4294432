import { memo, useState } from 'react';
import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CodeBlock, hastText } from './code-block.tsx';
import { OrderedList } from './ordered-list.tsx';
import { SafeImage, SafeLink, safeAddress } from './safe-link.tsx';
import { emptySplit, hasOpenFence, splitBlocks, type SplitText } from './split-blocks.ts';
import { useHighlighter } from './use-highlighter.ts';

type MarkdownTextProps = { readonly text: string; readonly growing: boolean };

/** An answer's Markdown. HTML in it stays text, images stay addresses, finished blocks are rendered once. */
export function MarkdownText({ text, growing }: MarkdownTextProps) {
  const [split, setSplit] = useState<SplitText>(() => splitBlocks(emptySplit, text));
  const now = splitBlocks(split, text);
  if (now !== split) setSplit(now);
  const { blocks, definitions } = now;
  return (
    <div className="prose" dir="auto">
      {blocks.map((block, index) => (
        // Blocks are only ever added at the end: their place is their identity.
        // oxlint-disable-next-line react/no-array-index-key
        <MarkdownBlock
          key={index}
          block={block}
          definitions={block.includes('[') ? definitions : ''}
          closed={!growing || !hasOpenFence(block)}
        />
      ))}
    </div>
  );
}

type MarkdownBlockProps = { readonly block: string; readonly definitions: string; readonly closed: boolean };

const remarkPlugins = [remarkGfm];

const components: Components = {
  a: ({ href, children }) => <SafeLink address={href}>{children}</SafeLink>,
  img: ({ src, alt }) => <SafeImage address={typeof src === 'string' ? src : undefined} alt={alt} />,
  ol: ({ start, node, children }) => (
    <OrderedList start={start ?? 1} length={node?.children.length ?? 0}>
      {children}
    </OrderedList>
  ),
  p: ({ children }) => <p dir="auto">{children}</p>,
  table: ({ children }) => (
    // A table may be wider than a phone: it scrolls by itself, also by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <figure aria-label="Table" className="wide-table" tabIndex={0}>
      <table>{children}</table>
    </figure>
  ),
  input: ({ checked }) => (
    <input type="checkbox" checked={checked === true} readOnly disabled className="mr-2" aria-label="Task" />
  ),
  pre: ({ node, children }) => {
    const code = node?.children.find((child) => child.type === 'element');
    const classes = code?.type === 'element' ? code.properties['className'] : undefined;
    const language = Array.isArray(classes)
      ? classes.map(String).find((name) => name.startsWith('language-'))
      : undefined;
    return (
      <CodeBlock language={language?.slice('language-'.length) ?? null} text={hastText(node)}>
        {children}
      </CodeBlock>
    );
  },
};

const MarkdownBlock = memo(function MarkdownBlock({ block, definitions, closed }: MarkdownBlockProps) {
  const highlighter = useHighlighter();
  return (
    <div className="prose-block">
      <Markdown
        remarkPlugins={remarkPlugins}
        rehypePlugins={closed && highlighter !== null ? highlighter : null}
        components={components}
        urlTransform={safeAddress}
      >
        {definitions === '' ? block : `${block}\n\n${definitions}`}
      </Markdown>
    </div>
  );
});
