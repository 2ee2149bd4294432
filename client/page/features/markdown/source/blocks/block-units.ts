import { inWrittenOrder } from '../../../../../../crypto/protocol/contents/unseen-text.ts';
import type { Block } from './block-reader.ts';
import { closesFence, detailsTag, holdsMarkdown, innerFence, summaryTag } from './line-kinds.ts';
import { say } from '../../../../texts/say.ts';

/** The page shows each as one thing: a piece, a table or code in several pieces, or the contents of `<details>`. */
export type Unit =
  | { readonly kind: 'piece'; readonly block: Block }
  | { readonly kind: 'code' | 'table'; readonly blocks: readonly Block[] }
  | { readonly kind: 'details'; readonly summary: string; readonly units: readonly Unit[] };

const deepestDetails = 4;

/** Joins the pieces of one thing. Notes and comments are shown elsewhere or not at all. */
export function unitsOf(blocks: readonly Block[]): readonly Unit[] {
  const levels: { readonly summary: string; readonly units: Unit[] }[] = [{ summary: '', units: [] }];
  for (let index = 0; index < blocks.length; index += 1) {
    const block = blocks[index];
    const level = levels.at(-1);
    if (block === undefined || level === undefined) break;
    switch (block.kind) {
      case 'note':
      case 'comment':
        break;
      case 'details':
        if (levels.length <= deepestDetails) levels.push({ summary: summaryOf(block.source), units: [] });
        break;
      case 'end-details':
        if (levels.length > 1) fold(levels);
        break;
      case 'code':
      case 'table': {
        let end = index + 1;
        while (blocks[end]?.continues === true && blocks[end]?.kind === block.kind) end += 1;
        const joined = blocks.slice(index, end);
        if (block.kind === 'table' && joined.length === 1) level.units.push({ kind: 'piece', block });
        else level.units.push({ kind: block.kind, blocks: joined });
        index += joined.length - 1;
        break;
      }
      default:
        if (block.source.trim() !== '') level.units.push({ kind: 'piece', block });
    }
  }
  while (levels.length > 1) fold(levels);
  return levels[0]?.units ?? [];
}

function fold(levels: { readonly summary: string; readonly units: Unit[] }[]): void {
  const folded = levels.pop();
  if (folded !== undefined) levels.at(-1)?.units.push({ kind: 'details', ...folded });
}

function summaryOf(source: string): string {
  for (const line of source.split('\n')) {
    const summary = summaryTag(line) ?? detailsTag(line)?.summary ?? '';
    if (summary.trim() !== '') return summary.replaceAll(/<\/?[a-z]+>|\*\*/gi, '').trim();
  }
  return say('markdown.details');
}

/** The code of a fence without the fence, in pieces of some lines; closed once its last line came. */
export type FencedCode = {
  readonly language: string | null;
  readonly chunks: readonly string[];
  readonly isClosed: boolean;
};

export function fencedCode(blocks: readonly Block[]): FencedCode {
  const first = blocks[0]?.source ?? '';
  const firstEnd = first.indexOf('\n') < 0 ? first.length : first.indexOf('\n') + 1;
  const [, indent = '', sign = '```', info = ''] = /^([ \t]*)(`{3,}|~{3,})(.*)/.exec(first.slice(0, firstEnd)) ?? [];
  const sources = blocks.map((block, index) => (index === 0 ? block.source.slice(firstEnd) : block.source));
  const last = sources.pop() ?? '';
  const closing = new RegExp(`(^|\\n)[ \\t]*${sign.charAt(0)}{${sign.length},}[ \\t\\r]*\\n*\\s*$`);
  const isClosed =
    closing.test(last.slice(-600)) && (!holdsMarkdown(first) || isOuterClosed(`${sources.join('')}${last}`, sign));
  sources.push(isClosed ? last.slice(0, -600) + last.slice(-600).replace(closing, '$1') : last);
  const language =
    inWrittenOrder(info)
      .trim()
      .split(/[\s{,]/, 1)[0] ?? '';
  const dedented =
    indent === ''
      ? sources
      : sources.map((each) => each.replaceAll(new RegExp(`^[ \\t]{1,${indent.length}}`, 'gm'), ''));
  const chunks = dedented.map((each) => inWrittenOrder(each)).filter((each) => each !== '');
  return { language: language === '' ? null : language, chunks, isClosed };
}

/** The last fence closes the block, or one inside of it. */
function isOuterClosed(code: string, sign: string): boolean {
  let inner: string | null = null;
  for (const line of code.split('\n')) {
    if (inner === null && closesFence(line, sign)) return true;
    if (inner === null) inner = innerFence(line, sign);
    else if (closesFence(line, inner)) inner = null;
  }
  return false;
}

/** The head of a table, and the rows of each of its pieces. */
export type CutTable = { readonly head: string; readonly bodies: readonly string[] };

export function cutTable(blocks: readonly Block[]): CutTable {
  const first = blocks[0]?.source ?? '';
  const headEnd = first.indexOf('\n', first.indexOf('\n') + 1) + 1;
  return {
    head: first.slice(0, headEnd),
    bodies: blocks.map((block, index) => (index === 0 ? first.slice(headEnd) : block.source)),
  };
}
