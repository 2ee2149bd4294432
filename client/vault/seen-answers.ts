import type { ReplyReader } from './reply-reader.ts';

/** What this tab saw of answers and the compact reply does not hold: why one failed, and what the model was not given. */
export class SeenAnswers {
  readonly #codes = new Map<string, string>();
  readonly #leftOut = new Map<string, number>();

  /** Keeps what a transcript says, before the compact reply takes its place. */
  note(turnId: string, { state, leftOut }: Pick<ReplyReader, 'state' | 'leftOut'>): void {
    if (state.kind === 'ended' && state.code !== null) this.#codes.set(turnId, state.code);
    this.noteLeftOut(turnId, leftOut);
  }

  /** So many of the oldest messages did not go along with a question. */
  noteLeftOut(turnId: string, messages: number): void {
    if (messages > 0) this.#leftOut.set(turnId, Math.max(messages, this.leftOut(turnId)));
  }

  code(turnId: string): string | null {
    return this.#codes.get(turnId) ?? null;
  }

  leftOut(turnId: string): number {
    return this.#leftOut.get(turnId) ?? 0;
  }
}
