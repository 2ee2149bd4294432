import type { ReplyCause, ReplyNote } from '../../../../crypto/protocol/contents/reply-note.ts';
import type { ReplyPiece } from '../../../../crypto/turn/reply-record.ts';

/** The words of one reply so far, with what its notes say of them. */
export type ShownReply = {
  text: string;
  reasoning: string;
  title: string | null;
  cause: ReplyCause | null;
  leftOut: number;
};

/** A reply of which nothing has come yet. */
export const nothingShown = (): ShownReply => ({ text: '', reasoning: '', title: null, cause: null, leftOut: 0 });

/**
 * Adds pieces to what is shown.
 *
 * @returns what came, or that the whole is to be shown anew.
 */
export function addPieces(
  shown: ShownReply,
  pieces: readonly ReplyPiece[],
): { text: string; reasoning: string; replaced: boolean } {
  const grown = { text: '', reasoning: '', replaced: false };
  for (const piece of pieces) {
    if (piece.kind === 'text' || piece.kind === 'reasoning') {
      grown[piece.kind] += piece.text;
      shown[piece.kind] += piece.text;
    } else if (piece.kind === 'title') {
      shown.title = piece.text;
    } else if (piece.kind === 'note') {
      grown.replaced ||= takeNote(shown, piece.note);
    }
  }
  return grown;
}

/** @returns whether text became reasoning. */
function takeNote(shown: ShownReply, note: ReplyNote): boolean {
  switch (note.kind) {
    case 'cause':
      shown.cause = note.cause;
      return false;
    case 'left-out':
      shown.leftOut = note.messages;
      return false;
    case 'text-was-reasoning':
      shown.reasoning += shown.text;
      shown.text = '';
      return true;
  }
}
