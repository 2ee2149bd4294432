import { Lexer } from 'marked';

/*
 * An answer is split into blocks, so that a frame that adds words to the last one renders the last one only. marked's lexer finds
 * the blocks, react-markdown renders each. A later character can change what stands after the last blank line between blocks, nothing
 * before it: so only the text from there on is read again.
 */
export type SplitText = {
  readonly text: string;
  /** Their texts joined are the whole text. */
  readonly blocks: readonly string[];
  /** Link definitions (`[name]: address`), which blocks refer to across their borders. */
  readonly definitions: string;
};

export const emptySplit: SplitText = { text: '', blocks: [], definitions: '' };

/** Splits a text, going on from an earlier split when it only grew. */
export function splitBlocks(before: SplitText, text: string): SplitText {
  if (text === before.text) return before;
  const grew = before.blocks.length > 0 && text.startsWith(before.text);
  const settled = grew ? before.blocks.slice(0, settledCount(before.blocks)) : [];
  const settledLength = settled.reduce((sum, block) => sum + block.length, 0);
  const rest = readBlocks(text.slice(settledLength));
  const blocks = [...settled, ...rest];
  // Footnotes number themselves over the whole text: such an answer stays in one piece.
  if (/^\[\^[^\]]+\]:/m.test(text)) return { text, blocks: [text], definitions: '' };
  return { text, blocks, definitions: readDefinitions(blocks) };
}

/**
 * Up to the last block that a blank line parts from what follows (where one block runs into the next, the first decides how) and
 * whose follower has its first line whole: `2` is a paragraph, `2)` goes on with a list.
 */
function settledCount(blocks: readonly string[]): number {
  let count = blocks.length - 1;
  let follower = blocks[count] ?? '';
  while (count > 0) {
    const last = blocks[count - 1] ?? '';
    if (follower.includes('\n') && /\n[ \t]*\r?\n$/.test(last)) return count;
    follower = last;
    count -= 1;
  }
  return 0;
}

function readBlocks(text: string): string[] {
  const lexer = new Lexer({ gfm: true });
  // Only blocks: what stands inside a line is react-markdown's work. The lexer reads \r\n as \n; offsets must stay ours.
  const tokens = lexer.blockTokens(text.replace(/\r/g, ' '), []);
  const blocks: string[] = [];
  let offset = 0;
  for (const token of tokens) {
    const end = offset + token.raw.length;
    const piece = text.slice(offset, end);
    offset = end;
    // Blank lines belong to the block before them.
    if (token.type === 'space' && blocks.length > 0) blocks[blocks.length - 1] += piece;
    else blocks.push(piece);
  }
  if (offset < text.length) blocks.push(text.slice(offset));
  return blocks;
}

function readDefinitions(blocks: readonly string[]): string {
  if (blocks.length < 2) return '';
  return blocks.filter(isDefinition).join('\n');
}

function isDefinition(block: string): boolean {
  return /^ {0,3}\[[^\]^][^\]]*\]:/.test(block) && new Lexer().blockTokens(block, [])[0]?.type === 'def';
}

/** A fence that was opened and not closed: its code is still growing. */
export function hasOpenFence(block: string): boolean {
  const opening = /^ {0,3}(`{3,}|~{3,})/.exec(block)?.[1];
  if (opening === undefined) return false;
  const closing = new RegExp(`^ {0,3}${opening[0] === '`' ? '`' : '~'}{${opening.length},}[ \\t]*$`, 'm');
  return !closing.test(block.slice(block.indexOf('\n') + 1 || block.length));
}
