import type { EngineEvent } from './engine.ts';

/** How models mark thoughts inside their text, by opening and closing mark. */
const marks: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<seed:think>', '</seed:think>'],
  ['◁think▷', '◁/think▷'],
  ['[think]', '[/think]'],
  ['<|start_thinking|>', '<|end_thinking|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<|channel>thought', '<channel|>'],
  ['<unused94>thought', '<unused95>'],
];
/** Words of other texts too: they close nothing that they have not opened. */
const pairedMarks: readonly (readonly [open: string, close: string])[] = [
  ['<reasoning>', '</reasoning>'],
  ['<reason>', '</reason>'],
];
/** Harmony whose signs a server has taken away: `analysisWe should… assistantfinalYes.` */
const bareAnalysis = /^analysis(?=[A-Z"'])/;
const bareFinal = 'assistantfinal';
/** Harmony, the form of gpt-oss: every part names its channel, and `final` is the reply. */
const channelMarks = ['<|channel|>', '<|start|>'];
const channelEnds = ['<|end|>', '<|return|>', '<|call|>', '<|start|>', '<|channel|>'];
const messageMark = '<|message|>';
const openingMarks = ['<think>', '<thinking>'];
/** A channel's head, such as `assistant<|channel|>commentary to=functions.x`. */
const longestHead = 400;

const lineStart = { beginning: '', previous: '\n', isInTicks: false };

export type Piece = Extract<EngineEvent, { kind: 'text' | 'reasoning' | 'note' }>;
type Place = 'start' | 'thoughts' | 'text' | 'head' | 'channel';

/**
 * Takes thoughts out of the text that a model streams, with marks that may be cut anywhere.
 *
 * Thoughts stand at the beginning of a reply: a mark that comes later is a word like any other. Some servers leave the
 * opening mark out; then text that was given out is taken back by `text-was-reasoning` when the closing one comes.
 */
export class ThoughtSplitter {
  #place: Place = 'start';
  #held = '';
  #close = '';
  /** The marks that a text without an opening mark may still be closed by. */
  #lateCloses: readonly string[] = marks.map(([, close]) => close);
  #isFinalChannel = false;
  /** Nothing was given out since the last mark: blanks behind it go. */
  #isFresh = false;
  /** The line so far, to tell code from words. */
  #line = lineStart;
  #isInFence = false;

  push(text: string): Piece[] {
    this.#held += text;
    return this.#run(false);
  }

  /** Gives the words that were held back for the mark that they might have become. */
  end(): Piece[] {
    return this.#run(true);
  }

  #run(isEnd: boolean): Piece[] {
    const pieces: Piece[] = [];
    while (this.#held !== '' && this.#step(pieces, isEnd));
    return pieces;
  }

  /** @returns false when there is nothing to be done until more comes. */
  #step(pieces: Piece[], isEnd: boolean): boolean {
    switch (this.#place) {
      case 'start':
        return this.#begin(isEnd);
      case 'thoughts':
        return this.#readUntil([this.#close], 'reasoning', pieces, isEnd);
      case 'head':
        return this.#readHead(isEnd);
      case 'channel':
        return this.#readUntil(channelEnds, this.#isFinalChannel ? 'text' : 'reasoning', pieces, isEnd);
      case 'text':
        return this.#readText(pieces, isEnd);
    }
  }

  #begin(isEnd: boolean): boolean {
    const text = this.#held.trimStart();
    const lower = asciiLower(text);
    const found = [...marks, ...pairedMarks].find(([open]) => lower.startsWith(open));
    if (found !== undefined) {
      this.#enter('thoughts', text.slice(found[0].length));
      this.#close = found[1];
      return true;
    }
    // The opening mark was in the prompt, and the model had nothing to think.
    const closed = marks.find(([, close]) => lower.startsWith(close));
    if (closed !== undefined) {
      this.#enter('start', text.slice(closed[1].length));
      return true;
    }
    if (channelMarks.some((mark) => lower.startsWith(mark))) {
      this.#enter('head', text);
      return true;
    }
    const mayFollow = [...marks.flat(), ...pairedMarks.map(([open]) => open), ...channelMarks, 'analysis'];
    if (mayFollow.some((mark) => mark.startsWith(lower)) && !isEnd) return false;
    if (this.#lateCloses.length > 0 && bareAnalysis.test(text)) this.#lateCloses = [...this.#lateCloses, bareFinal];
    this.#place = 'text';
    return true;
  }

  #enter(place: Place, rest: string): void {
    this.#place = place;
    this.#held = rest;
    this.#isFresh = true;
    this.#lateCloses = [];
  }

  #readUntil(ends: readonly string[], kind: 'text' | 'reasoning', pieces: Piece[], isEnd: boolean): boolean {
    const lower = asciiLower(this.#held);
    const places = ends.map((end) => ({ end, at: lower.indexOf(end) })).filter(({ at }) => at !== -1);
    const first = places.toSorted((a, b) => a.at - b.at)[0];
    if (first === undefined) {
      const kept = isEnd ? 0 : longestBeginning(lower, ends);
      this.#give(kind, this.#held.slice(0, this.#held.length - kept), pieces);
      this.#held = this.#held.slice(this.#held.length - kept);
      return false;
    }
    this.#give(kind, this.#held.slice(0, first.at).trimEnd(), pieces);
    const rest = this.#held.slice(first.at + first.end.length);
    if (this.#place === 'thoughts') this.#enter('start', rest);
    else this.#enter('head', channelMarks.includes(first.end) ? first.end + rest : rest);
    return true;
  }

  #readHead(isEnd: boolean): boolean {
    const at = this.#held.indexOf(messageMark);
    if (at === -1) {
      if (!isEnd && this.#held.length <= longestHead) return false;
      // No channel after all.
      this.#place = 'text';
      return true;
    }
    const channel = /<\|channel\|>\s*([a-z]+)/i.exec(this.#held.slice(0, at))?.[1]?.toLowerCase();
    this.#isFinalChannel = channel === undefined || channel === 'final';
    this.#enter('channel', this.#held.slice(at + messageMark.length));
    return true;
  }

  /** Words, up to a closing mark that no opening one came before. */
  #readText(pieces: Piece[], isEnd: boolean): boolean {
    const isBare = this.#lateCloses.includes(bareFinal);
    if (this.#lateCloses.length === 0 || (!isBare && !/[<[◁]/.test(this.#held))) {
      this.#giveWords(this.#held.length, pieces);
      return false;
    }
    const lower = asciiLower(this.#held);
    // A model that writes the opening mark writes about marks.
    if (/<think(ing)?>/.test(lower)) this.#lateCloses = [];
    const places = this.#lateCloses.map((close) => ({ close, at: lower.indexOf(close) })).filter(({ at }) => at !== -1);
    const first = places.toSorted((a, b) => a.at - b.at)[0];
    if (first === undefined) {
      const mayFollow = [...this.#lateCloses, ...openingMarks];
      const kept = isEnd ? 0 : longestBeginning(lower, mayFollow);
      this.#giveWords(this.#held.length - kept, pieces);
      return false;
    }
    this.#giveWords(first.at, pieces);
    const next = this.#held.charAt(first.close.length);
    // The next character tells if it is a mark.
    if (next === '' && !isEnd) return false;
    if (this.#isMark(next)) {
      pieces.push({ kind: 'note', note: { kind: 'text-was-reasoning' } });
      this.#enter('start', this.#held.slice(first.close.length));
    } else {
      this.#lateCloses = [];
    }
    return true;
  }

  /** No mark is what stands in code, in quotes or in the middle of a sentence. */
  #isMark(next: string): boolean {
    const { previous, isInTicks } = this.#line;
    const isInCode = this.#isInFence || isInTicks;
    const isQuoted = /["'“‘«(`]/.test(previous);
    const isWord = previous === ' ' && next === ' ';
    return !isInCode && !isQuoted && !isWord;
  }

  #giveWords(length: number, pieces: Piece[]): void {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#follow(text);
    this.#give('text', text, pieces);
  }

  #follow(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#line = lineStart;
      if (part === '') continue;
      const before = this.#line;
      const ticks = part.match(/`/g)?.length ?? 0;
      this.#line = {
        beginning: `${before.beginning}${part}`.slice(0, 8),
        previous: part.at(-1) ?? '\n',
        isInTicks: before.isInTicks !== (ticks % 2 === 1),
      };
      const isFence = (line: string) => /^\s*(```|~~~)/.test(line);
      if (isFence(this.#line.beginning) && !isFence(before.beginning)) this.#isInFence = !this.#isInFence;
    }
  }

  #give(kind: 'text' | 'reasoning', text: string, pieces: Piece[]): void {
    const words = this.#isFresh ? text.trimStart() : text;
    if (words === '') return;
    this.#isFresh = false;
    pieces.push({ kind, text: words });
  }
}

/** Only ASCII: a lower case of another length would move the marks. */
export function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** How many characters at the end of a text may be the beginning of a mark. */
function longestBeginning(text: string, marksToCome: readonly string[]): number {
  const longest = Math.min(text.length, Math.max(...marksToCome.map((mark) => mark.length)) - 1);
  for (let length = longest; length > 0; length -= 1) {
    const end = text.slice(text.length - length);
    if (marksToCome.some((mark) => mark.startsWith(end))) return length;
  }
  return 0;
}
