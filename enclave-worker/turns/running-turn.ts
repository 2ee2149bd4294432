import type { ReplyEnd } from '../../crypto/protocol/contents/request-content.ts';
import { equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { frameCapacity, framesToSendAfterEnd } from '../../crypto/turn/reply-frame.ts';
import type { ReplySealer } from '../../crypto/turn/reply-sealer.ts';
import { type Engine, EngineError, type Question } from '../engines/engine/engine.ts';
import type { Paced } from './frame-pacer.ts';
import type { HeldReply } from './held-reply.ts';
import { answerWithRoom } from './history-room.ts';
import { ReplyQueue } from './reply-queue.ts';

/** The length of the compact item that a device makes of it (UTF-16 units, text and reasoning each). */
const longestReply = 2_000_000;

const dummy = new Uint8Array(0);

type TurnSink = {
  /** Takes a sealed frame to be held and sent. */
  readonly onFrame: (frame: Bytes) => void;
  /** FINAL is out. */
  readonly onFinal: () => void;
};

/** One turn from its acceptance to FINAL: the engine fills a queue, the ticks empty it. */
export class RunningTurn implements Paced {
  readonly reply: HeldReply;
  readonly #sealer: ReplySealer;
  readonly #stopToken: Bytes;
  readonly #sink: TurnSink;
  readonly #queue = new ReplyQueue();
  readonly #abort = new AbortController();
  readonly #engine: Engine;
  #usage: ReplyEnd['usage'] = null;
  /** Dummies still to come before FINAL; null until END is out. */
  #padding: number | null = null;

  constructor(input: {
    readonly reply: HeldReply;
    readonly sealer: ReplySealer;
    readonly stopToken: Bytes;
    readonly engine: Engine;
    readonly sink: TurnSink;
  }) {
    this.reply = input.reply;
    this.#sealer = input.sealer;
    this.#stopToken = input.stopToken;
    this.#engine = input.engine;
    this.#sink = input.sink;
  }

  /** END is out, or on its way. */
  get hasEnd(): boolean {
    return this.#queue.hasEnd;
  }

  /** END is out: whoever reads has the whole of what there will be. */
  get isEndOut(): boolean {
    return this.#padding !== null;
  }

  tick(): boolean {
    if (this.#padding === 0) {
      this.#sink.onFrame(this.#sealer.sealFinal());
      this.#sink.onFinal();
      return false;
    }
    if (this.#padding !== null) {
      this.#padding -= 1;
      this.#sink.onFrame(this.#sealer.sealFrame(dummy));
      return true;
    }
    const content = this.#queue.take(frameCapacity(this.#sealer.frameClass));
    this.#sink.onFrame(this.#sealer.sealFrame(content));
    if (this.#queue.isDrained) this.#padding = framesToSendAfterEnd(this.#sealer.frameClass, this.#sealer.nextNumber);
    return true;
  }

  /** There is no room at the engine: the reply is a sealed "busy". */
  refuse(): void {
    this.#finish('busy', 'too-many-turns');
  }

  /** The request uses what the engine does not take. Sealed, so that no relay learns what was in it. */
  refuseRequest(): void {
    this.#finish('error', 'request-invalid');
  }

  /** Reads the engine into the queue, as fast as the frames take it away. Never throws. */
  async run(question: Question): Promise<void> {
    const room = { text: longestReply, reasoning: longestReply };
    let outcome: 'complete' | 'length' = 'complete';
    let hasText = false;
    try {
      for await (const event of answerWithRoom(this.#engine, question, this.#abort.signal)) {
        if (this.hasEnd) return;
        if (event.kind === 'note') {
          if (event.note.kind === 'text-was-reasoning') hasText = false;
          this.#queue.note(event.note);
        } else if (event.kind === 'usage') {
          this.#usage = { promptTokens: event.promptTokens, replyTokens: event.replyTokens };
        } else if (event.kind === 'length') {
          outcome = 'length';
        } else {
          hasText ||= event.kind === 'text' && event.text.trim() !== '';
          this.#queue.push(event.kind, event.text.slice(0, room[event.kind]));
          room[event.kind] -= event.text.length;
          if (room[event.kind] < 0) {
            outcome = 'length';
            break;
          }
          await this.#queue.room();
        }
      }
      // Thoughts alone, calls of tools or nothing at all: no success, whatever the engine calls it.
      if (!hasText && !this.#abort.signal.aborted) throw new EngineError('no-answer');
      this.#finish(outcome, null);
    } catch (error) {
      const { code, cause } = error instanceof EngineError ? error : new EngineError('model-failed');
      if (cause !== undefined) this.#queue.note({ kind: 'cause', cause });
      this.#finish(code === 'too-many-turns' ? 'busy' : 'error', code);
    }
  }

  /**
   * Stops the turn: the words said so far stay, the queue is dropped, and the engine is let go.
   *
   * @param token - Compared without leaving early. @returns whether it was this turn's.
   */
  stopWith(token: Uint8Array): boolean {
    if (!equalBytes(token, this.#stopToken)) return false;
    this.stop();
    return true;
  }

  stop(): void {
    if (this.hasEnd) return;
    this.#queue.finish(this.#endOf('stopped', null), { dropText: true });
    this.#abort.abort();
  }

  /** Gives up everything at once, for a worker that ends. */
  discard(): void {
    this.#abort.abort();
    this.#sealer.discard();
  }

  #finish(outcome: ReplyEnd['outcome'], code: ReplyEnd['code']): void {
    this.#queue.finish(this.#endOf(outcome, code));
  }

  #endOf(outcome: ReplyEnd['outcome'], code: ReplyEnd['code']): ReplyEnd {
    return { outcome, code, usage: this.#usage, model: this.#engine.model, engine: this.#engine.kind };
  }
}
