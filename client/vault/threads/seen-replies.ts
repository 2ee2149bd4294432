import { endedEarlyCode, type ReplyNoteContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { replyCauses } from '../../../crypto/protocol/contents/reply-note.ts';
import { replyErrorCodes } from '../../../crypto/protocol/contents/request-content.ts';
import type { ReplyReader } from '../exchange/reading/reply-reader.ts';

/** Facts about a reply for which its compact item has no place. */
export type ReplyNotes = Pick<ReplyNoteContent, 'codes' | 'leftOut'>;

const reasons: ReadonlySet<string> = new Set([...replyErrorCodes, ...replyCauses]);

/** @returns `code` is the finest reason that this build has words for; a later build may name others before it. */
export function endingOf({ codes }: ReplyNotes): { readonly code: string | null; readonly endedEarly: boolean } {
  return { code: codes.find((code) => reasons.has(code)) ?? null, endedEarly: codes.includes(endedEarlyCode) };
}

/** Notes that this tab saw: of replies that an older build made compact, or that are not stored yet. */
export class SeenReplies {
  readonly #codes = new Map<string, readonly string[]>();
  readonly #leftOut = new Map<string, number>();

  /** Keeps what a transcript says, before the compact reply takes its place. */
  note(turnId: string, { codes, leftOut }: Pick<ReplyReader, 'codes' | 'leftOut'>): void {
    if (codes.length > 0) this.#codes.set(turnId, codes);
    this.noteLeftOut(turnId, leftOut);
  }

  /** So many of the oldest messages did not go along with a question. */
  noteLeftOut(turnId: string, messages: number): void {
    if (messages > 0) this.#leftOut.set(turnId, Math.max(messages, this.leftOut(turnId)));
  }

  leftOut(turnId: string): number {
    return this.#leftOut.get(turnId) ?? 0;
  }

  /** @param stored - The vault holds this of it. */
  of(turnId: string, stored: ReplyNotes | null): ReplyNotes {
    const codes = stored?.codes ?? [...(this.#codes.get(turnId) ?? [])];
    return { codes, leftOut: Math.max(this.leftOut(turnId), stored?.leftOut ?? 0) };
  }
}
