import { goodCut, goodLength, longest, mostWeighed, reachOf, weightOf } from './cut-place.ts';
import {
  closesFence,
  fenceBehindWords,
  indentOf,
  innerFence,
  isBlank,
  isHeading,
  isQuote,
  isRule,
  isTableRule,
  linkDefinition,
  listMarker,
  noteName,
  openingFence,
  summaryTag,
} from './line-kinds.ts';
import {
  afterMarker,
  type BlockKind,
  interruptsWithList,
  isStarRule,
  type Open,
  openedBy,
  plainText,
  startsAnother,
} from './open-block.ts';

export type Place = { readonly open: Open | null; readonly isInLine: boolean; readonly isAfterBlank: boolean };

export type Block = {
  readonly kind: BlockKind;
  readonly source: string;
  /** It goes on with the block before, which was too long for one piece. */
  readonly continues: boolean;
  /** The place where it begins. */
  readonly from: Place;
};

const mostLines = 80;

/** Signs that close mathematics and open none: a blank line before them is inside. */
function isOneWay(sign: string): boolean {
  return sign.startsWith('\\');
}

/** Reads the lines of a text from a place on. */
export class BlockReader {
  readonly #text: string;
  readonly #blocks: Block[] = [];
  #open: Open | null;
  /** The piece that is being read: its start, its place, its lines. */
  #start: number;
  #from: Place;
  #lines = 0;
  /** Its lines so far count for this much beyond their characters. */
  #extra = 0;
  #isAfterBlank = false;
  /** Where the line before began, and the line itself. */
  #lastLineAt = -1;
  #lastLine = '';

  constructor(text: string, from: number, place: Place) {
    this.#text = text;
    this.#start = from;
    this.#open = place.open;
    this.#from = place;
    this.#isAfterBlank = place.isAfterBlank;
  }

  read(): readonly Block[] {
    let at = this.#start;
    let isInLine = this.#from.isInLine;
    while (at < this.#text.length) {
      const lineEnd = this.#text.indexOf('\n', at);
      const end = lineEnd < 0 ? this.#text.length : lineEnd + 1;
      // A line without an end is read up to where it is cut.
      const line = this.#text.slice(at, Math.min(end, at + longest)).replace(/\n$/, '');
      if (!isInLine) this.#readLine(line, at);
      at = this.#cutLine(at, end);
      isInLine = false;
      this.#lines += 1;
    }
    if (this.#start < this.#text.length) this.#emit(this.#text.length, this.#open, false);
    return this.#blocks;
  }

  /** A piece ends before `end`; what comes next goes on with `next`. */
  #emit(end: number, next: Open | null, isInLine: boolean): void {
    const from: Place = { open: next, isInLine, isAfterBlank: this.#isAfterBlank };
    if (end <= this.#start) {
      this.#from = from;
      return;
    }
    const { open, isInLine: beganInLine } = this.#from;
    const kind = this.#open?.kind ?? 'text';
    this.#blocks.push({
      kind: beganInLine && kind !== 'code' && kind !== 'tex' ? 'text' : kind,
      source: this.#text.slice(this.#start, end),
      continues: open !== null,
      from: this.#from,
    });
    this.#start = end;
    this.#lines = 0;
    this.#extra = 0;
    this.#lastLine = '';
    this.#from = from;
  }

  #readLine(line: string, at: number): void {
    const open = this.#open;
    if (isBlank(line)) {
      const isOver = open?.kind === 'tex' && !(isOneWay(open.sign) && this.#lengthTo(at) < goodLength);
      if (isOver || open?.kind === 'details' || open?.kind === 'end-details') this.#end(at);
      // Blank lines belong to the block before them.
      this.#isAfterBlank = true;
      this.#remember('', at);
      return;
    }
    if (open === null || this.#endsBefore(line, open, at)) {
      if (open !== null) this.#end(at);
      this.#open = openedBy(line, this.#text, at);
      if (this.#takeFenceBehindWords(line, at)) return;
    } else if (this.#open === open) {
      // Else the line made a table of the line before: both stay in one piece.
      this.#goOn(line, open, at);
      if (this.#takeFenceBehindWords(line, at)) return;
    }
    this.#isAfterBlank = false;
    this.#remember(line, at);
  }

  /** A fence that begins behind words ends their piece there. */
  #takeFenceBehindWords(line: string, at: number): boolean {
    const place = this.#open?.kind === 'text' && !this.#open.isQuote ? fenceBehindWords(line) : -1;
    if (place < 0) return false;
    this.#isAfterBlank = false;
    this.#end(at + place);
    const fence = line.slice(place);
    this.#open = openedBy(fence, this.#text, at + place);
    this.#remember(fence, at + place);
    return true;
  }

  #remember(line: string, at: number): void {
    this.#lastLine = line;
    this.#lastLineAt = at;
  }

  #end(at: number): void {
    this.#emit(at, null, false);
    this.#open = null;
  }

  #endsBefore(line: string, open: Open, at: number): boolean {
    switch (open.kind) {
      case 'code':
        // After the closing fence nothing is open any more.
        return open.sign === '';
      case 'comment':
        return at >= open.contentIndent;
      case 'tex':
        return open.sign === '';
      case 'details':
        return summaryTag(line) === null;
      case 'end-details':
        return true;
      case 'definitions':
        return this.#isAfterBlank || linkDefinition(line) === null;
      case 'note':
        return noteName(line) !== null || (this.#isAfterBlank ? indentOf(line) < 2 : startsAnother(line));
      case 'table':
        // A row has a pipe.
        return (
          this.#isAfterBlank || startsAnother(line) || isQuote(line) || !line.includes('|') || listMarker(line) !== null
        );
      case 'list':
        return this.#leavesList(line, open);
      case 'text':
        if (this.#isAfterBlank || isHeading(this.#lastLine) || this.#wasRule()) return true;
        if (isTableRule(line) && this.#lastLine.includes('|')) return this.#startsTable(open);
        return startsAnother(line) || interruptsWithList(line);
    }
  }

  #wasRule(): boolean {
    return isStarRule(this.#lastLine) || (isRule(this.#lastLine) && this.#lastLineAt === this.#start);
  }

  /** The line before was the head of a table: what stood before it is a piece of its own. */
  #startsTable(open: Open): boolean {
    if (open.isQuote) return false;
    if (this.#lastLineAt > this.#start) this.#emit(this.#lastLineAt, null, false);
    this.#open = { ...plainText, kind: 'table' };
    return false;
  }

  #leavesList(line: string, open: Open): boolean {
    // Whatever its indent: models forget that of code and of the fence behind it.
    if (open.fence !== null) return false;
    const indent = indentOf(line);
    if (indent >= open.contentIndent) return false;
    const marker = listMarker(line);
    if (marker !== null && !isRule(line)) return marker.sign !== open.sign;
    return this.#isAfterBlank || startsAnother(line) || isQuote(line) || isRule(line);
  }

  #goOn(line: string, open: Open, at: number): void {
    if (open.kind === 'code') this.#goOnWithCode(line, open);
    if (open.kind === 'tex' && line.trimEnd().endsWith(open.sign)) this.#open = { ...open, sign: '' };
    if (open.kind === 'list') this.#goOnWithList(line, open, at);
    if (open.kind === 'text' || open.kind === 'table' || open.kind === 'definitions' || open.kind === 'note') {
      if (this.#isLong(at)) this.#emit(at, this.#open, false);
    }
    if (open.kind === 'code' && (this.#lengthTo(at) >= longest || this.#lines >= mostLines / 2)) {
      this.#emit(at, open, false);
    }
  }

  #goOnWithCode(line: string, open: Open): void {
    const inner = open.nests && open.fence === null ? innerFence(line, open.sign) : null;
    if (inner !== null) this.#open = { ...open, fence: inner };
    else if (!closesFence(line, open.fence ?? open.sign)) return;
    else this.#open = open.fence === null ? { ...open, sign: '' } : { ...open, fence: null };
  }

  #goOnWithList(line: string, open: Open, at: number): void {
    const marker = listMarker(line);
    const isItem = marker !== null && open.fence === null && indentOf(line) < open.contentIndent;
    const isVeryLong = this.#lengthTo(at) >= longest || this.#lines >= mostLines * 2;
    if ((isItem && this.#isLong(at)) || isVeryLong) this.#emit(at, open, false);
    const fence =
      open.fence === null ? openingFence(afterMarker(line, marker)) : closesFence(line, open.fence) ? null : open.fence;
    this.#open = {
      ...open,
      fence,
      contentIndent: isItem ? marker.contentIndent : open.contentIndent,
      nextNumber: isItem && open.nextNumber !== null ? open.nextNumber + 1 : open.nextNumber,
    };
  }

  #isLong(at: number): boolean {
    return this.#lengthTo(at) >= goodLength || this.#lines >= mostLines;
  }

  /** Cuts a line that is too long for one piece. @returns where to go on. */
  #cutLine(at: number, end: number): number {
    let from = at;
    const isWhole = this.#open?.kind === 'comment';
    while (!isWhole && this.#lengthTo(from) + weightOf(this.#text, from, end) > 2 * goodLength) {
      const cut = goodCut(this.#text, from, reachOf(this.#text, this.#start, end));
      this.#emit(cut, this.#open ?? plainText, this.#text.charAt(cut - 1) !== '\n');
      from = cut;
    }
    this.#extra += weightOf(this.#text, from, end) - Math.min(end - from, mostWeighed);
    return end;
  }

  #lengthTo(at: number): number {
    return at - this.#start + this.#extra;
  }
}
