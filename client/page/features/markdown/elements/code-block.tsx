import { memo, type ReactNode } from 'react';
import type { ExtraProps } from 'react-markdown';
import { CopyButton } from '../../../design/buttons/copy-button.tsx';
import { useHighlighted } from './use-highlighter.ts';
import { say } from '../../../texts/say.ts';

type HastNode = NonNullable<ExtraProps['node']> | NonNullable<ExtraProps['node']>['children'][number];

/** The characters inside a node. */
export function hastText(node: HastNode | undefined): string {
  if (node === undefined) return '';
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? node.children.map(hastText).join('') : '';
}

type CodeBlockProps = {
  readonly language: string | null;
  /** Pieces of whole lines: those that came before are not laid out again when the last one grows. */
  readonly chunks: readonly string[];
  readonly isClosed: boolean;
};

export function CodeBlock({ language, chunks, isClosed }: CodeBlockProps) {
  const highlighted = useHighlighted(language, chunks, isClosed);
  const copy = () => navigator.clipboard.writeText(chunks.join('').replace(/\n$/, ''));
  return (
    <figure className="overflow-hidden rounded-control border border-line bg-sunken">
      <figcaption
        data-no-copy
        className="flex items-center justify-between gap-2 border-b border-line pr-1 pl-4 text-fine text-ink-faint"
      >
        <span className="min-w-0 truncate font-mono">{language ?? say('markdown.code')}</span>
        <CopyButton label={say('markdown.copy-code')} copy={copy} />
      </figcaption>
      {/* Long lines scroll inside the block, also by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="code-text overflow-x-auto px-4 py-3.5" tabIndex={0}>
        <code>{highlighted ?? chunks.map((chunk, index) => <CodeChunk key={placeKey(index)} text={chunk} />)}</code>
      </pre>
    </figure>
  );
}

/** Chunks are only ever added at the end. */
function placeKey(index: number): string {
  return `chunk-${index}`;
}

const CodeChunk = memo(function CodeChunk({ text }: { readonly text: string }): ReactNode {
  return <span className="code-chunk">{text}</span>;
});
