import type { ElementContent } from 'hast';
import type { Components, ExtraProps } from 'react-markdown';
import { CodeBlock, hastText } from './code-block.tsx';
import { NoteReference } from './note-reference.tsx';
import { OrderedList } from './ordered-list.tsx';
import { SafeImage, SafeLink } from './safe-link.tsx';
import { say } from '../../../texts/say.ts';

/** The page has the first level of headings: the conversation's title. */
const heading = (Tag: 'h2' | 'h3' | 'h4' | 'h5' | 'h6') =>
  function Heading({ children }: React.PropsWithChildren<ExtraProps>) {
    return <Tag dir="auto">{children}</Tag>;
  };

/** An item's own number, where it does not follow from the one before. */
function numberOf(node: ElementContent | undefined): number | undefined {
  const value = node?.type === 'element' ? node.properties['value'] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? Number(value) : undefined;
}

export const markdownComponents: Components = {
  a: ({ href, children }) => <SafeLink address={href}>{children}</SafeLink>,
  img: ({ src, alt }) => <SafeImage address={typeof src === 'string' ? src : undefined} alt={alt} />,
  h1: heading('h2'),
  h2: heading('h3'),
  h3: heading('h4'),
  h4: heading('h5'),
  h5: heading('h6'),
  h6: heading('h6'),
  p: ({ children }) => <p dir="auto">{children}</p>,
  li: ({ className, node, children }) => (
    <li dir="auto" className={className} value={numberOf(node)}>
      {children}
    </li>
  ),
  td: ({ style, children }) => (
    <td dir="auto" style={style}>
      {children}
    </td>
  ),
  ol: ({ start, node, children }) => (
    <OrderedList
      start={start ?? 1}
      longest={Math.max(0, ...(node?.children.map(numberOf) ?? []).map((each) => each ?? 0))}
      length={node?.children.length ?? 0}
    >
      {children}
    </OrderedList>
  ),
  sup: ({ node, children }) => {
    const note = node?.properties['dataNote'];
    return typeof note === 'string' ? <NoteReference name={note} /> : <sup>{children}</sup>;
  },
  table: ({ children }) => (
    // A table may be wider than a phone: it scrolls by itself, also by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <figure aria-label={say('markdown.table')} className="wide-table" tabIndex={0}>
      <table>{children}</table>
    </figure>
  ),
  input: ({ checked }) => (
    <input
      type="checkbox"
      checked={checked === true}
      readOnly
      disabled
      className="mr-2"
      aria-label={say('markdown.task')}
    />
  ),
  pre: ({ node }) => {
    const code = node?.children.find((child) => child.type === 'element');
    const classes = code?.type === 'element' ? code.properties['className'] : undefined;
    const language = Array.isArray(classes)
      ? classes.map(String).find((name) => name.startsWith('language-'))
      : undefined;
    return <CodeBlock language={language?.slice('language-'.length) ?? null} chunks={[hastText(node)]} isClosed />;
  },
};
