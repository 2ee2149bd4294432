import type { ReplyNoteContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { SetsByKey } from './sets-by-key.ts';

/** The notes about replies, beside their compact items. */
export class ReplyNotes extends Map<string, ReplyNoteContent> {
  readonly #ofTurn = new SetsByKey();

  override set(id: string, note: ReplyNoteContent): this {
    this.delete(id);
    this.#ofTurn.add(note.turnId, id);
    return super.set(id, note);
  }

  override delete(id: string): boolean {
    this.#ofTurn.remove(this.get(id)?.turnId, id);
    return super.delete(id);
  }

  override clear(): void {
    this.#ofTurn.clear();
    super.clear();
  }

  ofTurn(turnId: string): { readonly id: string; readonly note: ReplyNoteContent } | null {
    // One batch writes reply and note, so there is one; were there two, all devices take the same.
    const id = [...this.#ofTurn.of(turnId)].toSorted().at(0) ?? '';
    const note = this.get(id);
    return note === undefined ? null : { id, note };
  }

  idsOf(conversationId: string): readonly string[] {
    return [...this].flatMap(([id, note]) => (note.conversationId === conversationId ? [id] : []));
  }
}
