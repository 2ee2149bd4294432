import { type Block, BlockReader, type Place } from './block-reader.ts';

/*
 * A reply is split into pieces, so that a frame that adds words renders the last piece only, and no piece is so long that
 * reading it blocks the page. Lines are read one by one, each once: a reply of any shape is split in time that grows with its
 * length.
 */
/** The blocks' sources joined are the whole text. */
export type SplitText = { readonly text: string; readonly blocks: readonly Block[] };

const start: Place = { open: null, isInLine: false, isAfterBlank: false };
export const emptySplit: SplitText = { text: '', blocks: [] };

/** Splits a text, going on from an earlier split when it only grew. */
export function splitBlocks(before: SplitText, text: string): SplitText {
  if (text === before.text) return before;
  // A later character can change how the last two pieces meet, nothing before them.
  const settled = text.startsWith(before.text) ? before.blocks.slice(0, -2) : [];
  const settledLength = before.text.length - lengthOf(before.blocks.slice(settled.length));
  const place = before.blocks[settled.length]?.from ?? start;
  const reader = new BlockReader(text, settled.length === 0 ? 0 : settledLength, settled.length === 0 ? start : place);
  return { text, blocks: [...settled, ...reader.read()] };
}

function lengthOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + block.source.length, 0);
}
