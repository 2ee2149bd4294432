import type { ReplyOutcome } from '../../../../crypto/protocol/contents/item-contents.ts';
import type { ReplyNote } from '../../../../crypto/protocol/contents/reply-note.ts';
import type { ReplyEnd } from '../../../../crypto/protocol/contents/request-content.ts';
import type { ReplyReader } from './reply-reader.ts';

/** The pieces of a reply, in order. Every reply has one `end`, and `closed` is the last piece. */
export type ReplyPiece =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  /** All words that came before are void: these stand in their place. */
  | { readonly kind: 'anew'; readonly text: string; readonly reasoning: string }
  | { readonly kind: 'title'; readonly text: string }
  | { readonly kind: 'note'; readonly note: Exclude<ReplyNote, { kind: 'text-was-reasoning' }> }
  | {
      readonly kind: 'end';
      readonly outcome: ReplyOutcome;
      /** Why it ended so, the finest reason first. */
      readonly codes: readonly string[];
      /** null where no END came: `cut-off`, or stopped before anything was said. */
      readonly said: Pick<ReplyEnd, 'usage' | 'model' | 'engine'> | null;
    }
  /** No frame comes any more. `isWhole`: proof came that none is missing. */
  | { readonly kind: 'closed'; readonly isWhole: boolean };

/**
 * Cuts what a reader has read into pieces when they are asked for. Nothing is queued: a slow consumer gets longer pieces, not
 * more of them.
 */
export class ReplyPieces {
  readonly #reader: ReplyReader;
  readonly #given = { edition: 0, text: 0, reasoning: 0, title: '', leftOut: 0, cause: '' };
  #place: 'words' | 'ended' | 'closed' = 'words';

  constructor(reader: ReplyReader) {
    this.#reader = reader;
  }

  /**
   * @param over - How it ended where no END came; null while frames may come.
   * @returns null where nothing is to be given until more was read.
   */
  next(over: ReplyOutcome | null): ReplyPiece | null {
    if (this.#place === 'words') {
      const piece = this.#nextWords() ?? this.#end(over);
      if (piece?.kind === 'end') this.#place = 'ended';
      return piece;
    }
    if (this.#place === 'closed' || over === null) return null;
    this.#place = 'closed';
    return { kind: 'closed', isWhole: this.#reader.transcript?.opener?.isFinal === true };
  }

  #nextWords(): ReplyPiece | null {
    const given = this.#given;
    const { edition, text, reasoning, title, leftOut, state } = this.#reader;
    if (edition !== given.edition) {
      given.edition = edition;
      if (given.text > 0 || given.reasoning > 0) {
        [given.text, given.reasoning] = [text.length, reasoning.length];
        return { kind: 'anew', text, reasoning };
      }
    }
    for (const [kind, words] of [
      ['reasoning', reasoning],
      ['text', text],
    ] as const) {
      const more = words.slice(given[kind]);
      given[kind] = words.length;
      if (more !== '') return { kind, text: more };
    }
    if (leftOut !== given.leftOut) {
      given.leftOut = leftOut;
      return { kind: 'note', note: { kind: 'left-out', messages: leftOut } };
    }
    if (state.kind === 'waiting' && state.cause !== undefined && state.cause !== given.cause) {
      given.cause = state.cause;
      return { kind: 'note', note: { kind: 'cause', cause: state.cause } };
    }
    if (title === null || title === given.title) return null;
    given.title = title;
    return { kind: 'title', text: title };
  }

  #end(over: ReplyOutcome | null): ReplyPiece | null {
    const { codes, outcome, transcript } = this.#reader;
    const end = transcript?.opener?.end ?? null;
    if (end !== null && outcome !== null) {
      const { usage, model, engine } = end;
      return { kind: 'end', outcome, codes, said: { usage, model, engine } };
    }
    return over === null ? null : { kind: 'end', outcome: over, codes: [], said: null };
  }
}
