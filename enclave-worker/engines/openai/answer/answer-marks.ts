import { asciiLower } from '../../engine/thought-splitter.ts';

/** Around a reply, behind thoughts; the one with a plain name only where thoughts came before. */
const wrappers: readonly (readonly [open: string, close: string])[] = [
  ['<|begin_of_solution|>', '<|end_of_solution|>'],
  ['<|start_response|>', '<|end_response|>'],
  ['<|begin_of_box|>', '<|end_of_box|>'],
  ['<answer>', '</answer>'],
];
const plainName = '<answer>';
/** With these a model says that it is done; a server with the wrong list of them gives them out as text. */
const endMarks: readonly string[] = [
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|eot|>',
  '<|end|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|end_of_turn|>',
  '<|return|>',
  '<end_of_turn>',
  '<｜end▁of▁sentence｜>',
  '</s>',
];
const strikeEnd = '</s>';
const longestMark = Math.max(...[...wrappers.flat(), ...endMarks].map(({ length }) => length));

/**
 * Takes the signs off that a model's template puts around a reply. Only at its very beginning and its very end, and there only
 * where they are no words of a sentence: all others stay.
 */
export class AnswerMarks {
  #held = '';
  #isAtStart = true;
  #close: string | null = null;
  /** The last characters that were given out. */
  #last = '';
  #hasStrike = false;

  /** @param isAfterThoughts - Thoughts came before this text. */
  push(text: string, isAfterThoughts: boolean): string {
    this.#held += text;
    if (this.#isAtStart && !this.#readStart(isAfterThoughts, false)) return '';
    return this.#give(this.#tailStart());
  }

  /** Gives the words that were held back for a sign that they might have become. */
  end(): string {
    if (this.#isAtStart) this.#readStart(false, true);
    const words = this.#give(this.#marksStart(this.#held.length));
    return /[ \t"'“‘«(`]$/.test(this.#last) ? words + this.flush() : words;
  }

  /** Gives the words that were held back, as they are. */
  flush(): string {
    return this.#give(this.#held.length);
  }

  /** @returns false while the beginning may still become a sign. */
  #readStart(isAfterThoughts: boolean, isEnd: boolean): boolean {
    const text = this.#held.trimStart();
    const lower = asciiLower(text.slice(0, longestMark));
    const known = wrappers.filter(([open]) => isAfterThoughts || open !== plainName);
    const found = known.find(([open]) => lower.startsWith(open));
    if (found !== undefined) {
      this.#held = text.slice(found[0].length).trimStart();
      this.#close = found[1];
    } else if (!isEnd && known.some(([open]) => open.startsWith(lower))) {
      return false;
    }
    this.#isAtStart = this.#held === '';
    return !this.#isAtStart;
  }

  #give(length: number): string {
    const words = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    const last = this.#last + words;
    this.#hasStrike ||= /<s>/i.test(last);
    this.#last = last.slice(-3);
    return words;
  }

  /** From where on the held text may be signs or become one. */
  #tailStart(): number {
    const ends = this.#ends();
    const lower = asciiLower(this.#held.slice(-longestMark));
    for (let length = Math.min(lower.length, longestMark - 1); length > 0; length -= 1) {
      const tail = lower.slice(lower.length - length);
      if (ends.some((mark) => mark.startsWith(tail))) return this.#marksStart(this.#held.length - length);
    }
    return this.#marksStart(this.#held.length);
  }

  /** Where the signs begin that the held text has up to `end`, and the blanks between them. */
  #marksStart(end: number): number {
    const ends = this.#ends();
    let start = end;
    for (;;) {
      const before = this.#held.slice(Math.max(0, start - 2 * longestMark), start);
      const words = asciiLower(before).trimEnd();
      const mark = ends.find((each) => words.endsWith(each));
      if (mark === undefined) return start;
      start -= before.length - words.length + mark.length;
    }
  }

  #ends(): readonly string[] {
    const known =
      this.#hasStrike || /<s>/i.test(this.#last + this.#held)
        ? endMarks.filter((mark) => mark !== strikeEnd)
        : endMarks;
    return this.#close === null ? known : [...known, this.#close];
  }
}
