import type { ReactNode } from 'react';
import type { ExtraProps } from 'react-markdown';
import { CopyButton } from '../copy-button.tsx';

type HastNode = NonNullable<ExtraProps['node']> | NonNullable<ExtraProps['node']>['children'][number];

/** The characters inside a node, without the highlighter's elements. */
export function hastText(node: HastNode | undefined): string {
  if (node === undefined) return '';
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? node.children.map(hastText).join('') : '';
}

type CodeBlockProps = { readonly language: string | null; readonly text: string; readonly children: ReactNode };

export function CodeBlock({ language, text, children }: CodeBlockProps) {
  return (
    <figure className="overflow-hidden rounded-control border border-line bg-sunken">
      <figcaption
        data-no-copy
        className="flex items-center justify-between gap-2 border-b border-line pr-1 pl-4 text-fine text-ink-faint"
      >
        <span className="min-w-0 truncate font-mono">{language ?? 'text'}</span>
        <CopyButton label="Copy code" copy={() => navigator.clipboard.writeText(text.replace(/\n$/, ''))} />
      </figcaption>
      {/* Long lines scroll inside the block, also by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="code-text overflow-x-auto px-4 py-3.5" tabIndex={0}>
        {children}
      </pre>
    </figure>
  );
}
