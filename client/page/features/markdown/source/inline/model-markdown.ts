import type { FootnoteDefinition, List, Nodes, Parents, PhrasingContent, Root, RootContent, Table } from 'mdast';
import type {} from 'remark-parse';
import type { Processor } from 'unified';
import { inWrittenOrder } from '../../../../../../crypto/protocol/contents/unseen-text.ts';
import { cjkEmphasis } from './cjk-emphasis.ts';
import { restoreLiterals } from './literal-signs.ts';
import { readLink } from './read-link.ts';
import { noteWord } from './references.ts';

/** Tags of HTML that models write where Markdown has no sign, and what becomes of them. All others stay text. */
const tags: Readonly<Record<string, string>> = {
  sub: 'sub',
  sup: 'sup',
  kbd: 'kbd',
  u: 'u',
  ins: 'ins',
  mark: 'mark',
  small: 'small',
  b: 'strong',
  strong: 'strong',
  i: 'em',
  em: 'em',
  s: 'del',
  del: 'del',
  strike: 'del',
  code: 'code',
  samp: 'samp',
  var: 'var',
  cite: 'cite',
  dfn: 'dfn',
  summary: 'strong',
  details: 'span',
};

export type ModelMarkdownOptions = {
  /** Stand-ins of literal-signs.ts become the characters again. */
  readonly restores: boolean;
  /** The number of the first item, where a long list is cut into pieces. */
  readonly firstNumber: number | null;
};

/**
 * Markdown as models write it. One newline is a line break, bold works beside every script, and some tags of HTML mean what
 * they say. Neither indents nor tags make a block of source. Nothing of a tag but its name is read.
 */
export function remarkModelMarkdown(this: Processor, options: ModelMarkdownOptions) {
  const data = this.data();
  const extensions = (data.micromarkExtensions ??= []);
  extensions.push({ disable: { null: ['htmlFlow', 'codeIndented'] } }, cjkEmphasis);
  return (tree: Root, file: { toString(): string }): void => {
    const [first] = tree.children;
    if (options.firstNumber !== null && first?.type === 'list') first.start = options.firstNumber;
    rewrite(tree, { restores: options.restores, source: file.toString() });
  };
}

type Reading = { readonly restores: boolean; readonly source: string };

function rewrite(node: Nodes, reading: Reading): void {
  if (reading.restores) restore(node);
  if (node.type === 'list') keepNumbers(node, reading.source);
  if (node.type === 'table') widen(node);
  if (node.type === 'inlineCode' || node.type === 'code') node.value = inWrittenOrder(node.value);
  if (!('children' in node)) return;
  const children: RootContent[] = [];
  for (const child of node.children) {
    rewrite(child, reading);
    children.push(...replacement(child, reading.source));
  }
  setChildren(node, pairTags(children));
}

/** A parent takes the kinds of children that it had, and marks within text. */
function setChildren(node: Parents, children: readonly RootContent[]): void {
  Object.assign(node, { children });
}

function restore(node: Nodes): void {
  if ('value' in node) node.value = restoreLiterals(node.value);
  if ('url' in node) node.url = restoreLiterals(node.url);
  if ('alt' in node && typeof node.alt === 'string') node.alt = restoreLiterals(node.alt);
  if ('title' in node && typeof node.title === 'string') node.title = restoreLiterals(node.title);
}

/** A row with more cells than the head keeps them. */
function widen(table: Table): void {
  const columns = Math.max(...table.children.map((row) => row.children.length));
  table.align = Array.from({ length: columns }, (_, index) => table.align?.[index] ?? null);
}

/** Items that say another number than the one that they would get keep it, as in a countdown; `1.` throughout is no number. */
function keepNumbers(list: List, source: string): void {
  if (list.ordered !== true) return;
  const numbers = list.children.map(({ position }) => {
    const at = position?.start.offset ?? 0;
    return Number(/^\d{1,9}/.exec(source.slice(at, at + 10))?.[0] ?? Number.NaN);
  });
  if (numbers.some((number) => Number.isNaN(number)) || (numbers.length > 1 && new Set(numbers).size === 1)) return;
  let next = list.start ?? 1;
  for (const [index, item] of list.children.entries()) {
    const number = numbers[index] ?? next;
    if (number !== next) item.data = { ...item.data, hProperties: { value: String(number) } };
    next = number + 1;
  }
}

function replacement(node: RootContent, source: string): readonly RootContent[] {
  switch (node.type) {
    case 'text':
      return node.value.split(/\r\n|\r|\n/).flatMap((line, index) => {
        const words = spacedBold(line);
        return index === 0 ? words : [{ type: 'break' }, ...words];
      });
    case 'html':
      if (node.value.startsWith('<!--')) return [];
      return /^<br\s*\/?>$/i.test(node.value) ? [{ type: 'break' }] : [node];
    case 'footnoteDefinition':
      return strayNote(node);
    case 'link':
      return readLink(node, source);
    case 'footnoteReference':
      return [{ type: 'emphasis', children: [], data: { hName: 'sup', hProperties: { dataNote: node.identifier } } }];
    default:
      return [node];
  }
}

/** A note that no list of notes shows, such as one inside an item, stands where it was written. */
function strayNote({ identifier, children }: FootnoteDefinition): readonly RootContent[] {
  const [first, ...others] = children;
  if (first?.type !== 'paragraph') return children;
  const [word] = first.children;
  if (others.length === 0 && word?.type === 'text' && word.value === noteWord) return [];
  const name: PhrasingContent = { type: 'text', value: `[^${identifier}]: ` };
  return [{ ...first, children: [name, ...first.children] }, ...others];
}

/** `** bold **`: stars that stand off from their words. Only words, never `2 ** 3 ** 4`. */
function spacedBold(line: string): PhrasingContent[] {
  const pieces = line.split(
    /\*\*(?=[ \t]|[^*]{1,400}[ \t]\*\*)[ \t]*(?=[^\s*\d])([^*]{0,200}?\p{L}{2}[^*]{0,200}?)[ \t]*\*\*/u,
  );
  return pieces.flatMap((words, index): PhrasingContent[] => {
    if (words === '') return [];
    return index % 2 === 1
      ? [{ type: 'strong', children: [{ type: 'text', value: words }] }]
      : [{ type: 'text', value: words }];
  });
}

/** Puts what stands between an allowed tag and its end into an element of our own; a tag without an end stays text. */
function pairTags(children: readonly RootContent[]): RootContent[] {
  const result: RootContent[] = [];
  const open: { readonly name: string; readonly at: number }[] = [];
  for (const child of children) {
    const [, slash, name = ''] =
      (child.type === 'html' ? /^<(\/?)([a-z]+)\s*>$/i.exec(child.value.toLowerCase()) : null) ?? [];
    const element = Object.hasOwn(tags, name) ? tags[name] : undefined;
    const opening = slash === '/' ? open.findLastIndex((each) => each.name === name) : -1;
    const start = open[opening]?.at;
    if (element !== undefined && start !== undefined) {
      const inside = result.splice(start).slice(1);
      result.push({ type: 'emphasis', children: inside.filter(isPhrasing), data: { hName: element } });
      open.splice(opening);
      continue;
    }
    if (element !== undefined && slash === '' && open.length < 20) open.push({ name, at: result.length });
    result.push(child);
  }
  return result;
}

function isPhrasing(node: RootContent): node is PhrasingContent {
  return node.type !== 'paragraph';
}
