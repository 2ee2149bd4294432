import { equalBytes, toHex } from '../../crypto/protocol/bytes/bytes.ts';
import type { HeldReply } from './held-reply.ts';

export type HoldLimits = {
  /** How long a finished reply can be asked for again. */
  readonly holdMs: number;
  /** Memory for frames, all replies together. */
  readonly maximumBytes: number;
};

export const defaultHoldLimits: HoldLimits = { holdMs: 600_000, maximumBytes: 256 * 1024 * 1024 };

/** Every reply that can still be read again. Finished ones go when their time is over, the oldest first when memory is short. */
export class HeldReplies {
  readonly #limits: HoldLimits;
  readonly #byTurn = new Map<string, HeldReply[]>();
  /** In the order in which they finished. */
  readonly #finished = new Set<HeldReply>();
  #bytes = 0;

  constructor(limits: HoldLimits = defaultHoldLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Running replies alone fill the memory: nothing new should begin. */
  get isFull(): boolean {
    return this.#bytes >= this.#limits.maximumBytes && this.#finished.size === 0;
  }

  add(reply: HeldReply): void {
    const turn = toHex(reply.turnId);
    this.#byTurn.set(turn, [...(this.#byTurn.get(turn) ?? []), reply]);
  }

  append(reply: HeldReply, frame: Uint8Array): void {
    if (!reply.append(frame)) return;
    this.#bytes += reply.slabLength;
    for (const oldest of this.#finished) {
      if (this.#bytes <= this.#limits.maximumBytes) break;
      this.#evict(oldest);
    }
  }

  finish(reply: HeldReply, nowMs: number): void {
    reply.finish(nowMs);
    this.#finished.add(reply);
  }

  /** Lets go of what finished too long ago. */
  sweep(nowMs: number): void {
    for (const reply of this.#finished) {
      if (nowMs - (reply.finishedAtMs ?? nowMs) < this.#limits.holdMs) break;
      this.#evict(reply);
    }
  }

  find(turnId: Uint8Array): readonly HeldReply[] {
    return this.#byTurn.get(toHex(turnId)) ?? [];
  }

  findByRequest(turnId: Uint8Array, requestHash: Uint8Array): HeldReply | undefined {
    return this.find(turnId).find((reply) => equalBytes(reply.requestHash, requestHash));
  }

  #evict(reply: HeldReply): void {
    this.#finished.delete(reply);
    this.#bytes -= reply.heldBytes;
    const turn = toHex(reply.turnId);
    const rest = (this.#byTurn.get(turn) ?? []).filter((other) => other !== reply);
    if (rest.length === 0) this.#byTurn.delete(turn);
    else this.#byTurn.set(turn, rest);
    for (const reader of reply.readers) reader.evict(reply);
  }
}
