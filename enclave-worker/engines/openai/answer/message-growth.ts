import type { AnswerPart } from './answer-value.ts';

/**
 * Reads messages that come where pieces should: the same one ever longer, as DashScope and older gateways send it, or each only
 * what comes next.
 */
export class MessageGrowth {
  readonly #said: Record<AnswerPart['kind'], string> = { text: '', reasoning: '' };
  #count = 0;
  #arePieces = false;

  /** One message came, and no other. */
  get isOne(): boolean {
    return this.#count === 1;
  }

  /** @returns what is new in a message. */
  grow(message: readonly AnswerPart[]): AnswerPart[] {
    this.#count += 1;
    const whole = { text: '', reasoning: '' };
    for (const { kind, text } of message) whole[kind] += text;
    const kinds = ['reasoning', 'text'] as const;
    // One that takes back what was said goes on from it.
    this.#arePieces ||= kinds.some((kind) => whole[kind] !== '' && !isSameOne(this.#said[kind], whole[kind]));
    return kinds.flatMap((kind) => {
      const text = this.#arePieces ? whole[kind] : whole[kind].slice(this.#said[kind].length);
      this.#said[kind] += text;
      return text === '' ? [] : [{ kind, text }];
    });
  }
}

function isSameOne(before: string, now: string): boolean {
  return now.startsWith(before) || before.startsWith(now);
}
