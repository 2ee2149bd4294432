import {
  detailsTag,
  displayTex,
  holdsMarkdown,
  indentOf,
  isBlank,
  isHeading,
  isQuote,
  isRule,
  linkDefinition,
  listMarker,
  noteName,
  openingFence,
} from './line-kinds.ts';

export type BlockKind =
  | 'text'
  | 'list'
  | 'code'
  | 'table'
  | 'tex'
  | 'note'
  | 'definitions'
  | 'comment'
  | 'details'
  | 'end-details';

/** The block that a line may continue. */
export type Open = {
  readonly kind: BlockKind;
  /** Signs that close a fence or mathematics, the sign of a list. */
  readonly sign: string;
  readonly isQuote: boolean;
  /** For a list: where the words of its last item begin, the fence inside it, and the number of the next item. */
  readonly contentIndent: number;
  readonly fence: string | null;
  /** For code: it may hold fences of its own length. */
  readonly nests: boolean;
  readonly nextNumber: number | null;
};

const longestComment = 2000;

export const plainText: Open = {
  kind: 'text',
  sign: '',
  isQuote: false,
  contentIndent: 0,
  fence: null,
  nests: false,
  nextNumber: null,
};

/** The block that a line opens where it continues none. */
export function openedBy(line: string, text: string, at: number): Open {
  if (indentOf(line) < 4) {
    const fence = openingFence(line);
    if (fence !== null) return { ...plainText, kind: 'code', sign: fence, nests: holdsMarkdown(line) };
    const tex = displayTex(line);
    if (tex !== null) {
      const isClosed = line.trim().length > 2 && line.trim().indexOf(tex.close, 2) >= 0;
      return { ...plainText, kind: 'tex', sign: isClosed ? '' : tex.close };
    }
    const tag = detailsTag(line);
    if (tag !== null) return { ...plainText, kind: tag.kind };
    const commentEnd = endOfComment(line, text, at);
    if (commentEnd !== null) return { ...plainText, kind: 'comment', contentIndent: commentEnd };
    if (noteName(line) !== null) return { ...plainText, kind: 'note' };
    if (linkDefinition(line) !== null) return { ...plainText, kind: 'definitions' };
  }
  const marker = isRule(line) ? null : listMarker(line);
  if (marker === null) return isQuote(line) ? { ...plainText, isQuote: true } : plainText;
  return {
    ...plainText,
    kind: 'list',
    sign: marker.sign,
    contentIndent: marker.contentIndent,
    fence: openingFence(afterMarker(line, marker)),
    nextNumber: marker.number === null ? null : marker.number + 1,
  };
}

/** Where a comment that begins a line ends; one that never ends, or ends late, is no comment. */
function endOfComment(line: string, text: string, at: number): number | null {
  if (!line.trimStart().startsWith('<!--')) return null;
  const end = text.slice(at, at + longestComment).indexOf('-->');
  if (end >= 0) {
    const afterIt = text.slice(at + end + 3, at + longestComment);
    const restOfLine = afterIt.slice(0, afterIt.indexOf('\n') < 0 ? afterIt.length : afterIt.indexOf('\n'));
    return isBlank(restOfLine) ? at + end + 3 : null;
  }
  return text.length - at < longestComment ? text.length : null;
}

export function startsAnother(line: string): boolean {
  if (indentOf(line) >= 4) return false;
  return (
    isHeading(line) ||
    openingFence(line) !== null ||
    detailsTag(line) !== null ||
    isStarRule(line) ||
    isDisplay(line) ||
    noteName(line) !== null
  );
}

function isDisplay(line: string): boolean {
  return displayTex(line) !== null;
}

export function isStarRule(line: string): boolean {
  return isRule(line) && !line.trimStart().startsWith('-');
}

/** Inside a paragraph a list begins with an item that has words and, if numbered, the number 1. */
export function interruptsWithList(line: string): boolean {
  if (indentOf(line) >= 4 || isRule(line)) return false;
  const marker = listMarker(line);
  return marker !== null && (marker.number === null || marker.number === 1) && !isBlank(afterMarker(line, marker));
}

export function afterMarker(line: string, marker: { readonly contentIndent: number } | null): string {
  return marker === null ? line : line.trimStart().replace(/^\S+[ \t]*/, '');
}
