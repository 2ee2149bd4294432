import type { ErrorCode } from '../../crypto/protocol/messages/error-codes.ts';
import type { WorkerWatch } from '../../crypto/protocol/messages/worker-messages.ts';
import { equalBytes, fromBase64Url, randomBytes, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../crypto/protocol/bytes/secret.ts';
import { sealedFrameLength } from '../../crypto/turn/reply-frame.ts';
import { ReplySealer } from '../../crypto/turn/reply-sealer.ts';
import { deriveStopToken } from '../../crypto/turn/turn-key.ts';
import type { Engine, Question } from '../engines/engine/engine.ts';
import type { OpenAnswer, OpenedTurn } from '../keys/key-messages.ts';
import { Admission, defaultTurnLimits, type TurnLimits } from './admission.ts';
import { FramePacer, type PacerClock, systemClock } from './frame-pacer.ts';
import { defaultHoldLimits, HeldReplies, type HoldLimits } from './held-replies.ts';
import { closedRecord, HeldReply } from './held-reply.ts';
import type { LiveStream } from './live-stream.ts';
import { readQuestion } from './read-question.ts';
import { RunningTurn } from './running-turn.ts';

export type TurnAcceptance =
  | { readonly kind: 'accepted'; readonly turnId: Bytes; readonly transcriptId: Bytes }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

const noId: Bytes = new Uint8Array(16);

/** Where opened requests become turns, and turns find their readers. */
export class TurnDesk {
  readonly #findEngine: (model: string) => Engine | undefined;
  readonly #limits: TurnLimits;
  readonly #clock: PacerClock;
  readonly #pacer: FramePacer;
  readonly #held: HeldReplies;
  readonly #admission: Admission;
  readonly #running = new Set<RunningTurn>();
  readonly #streams = new Map<string, LiveStream>();
  #isDraining = false;

  constructor(input: {
    readonly findEngine: (model: string) => Engine | undefined;
    readonly turnLimits?: TurnLimits;
    readonly holdLimits?: HoldLimits;
    readonly clock?: PacerClock;
  }) {
    this.#findEngine = input.findEngine;
    this.#limits = input.turnLimits ?? defaultTurnLimits;
    this.#held = new HeldReplies(input.holdLimits ?? defaultHoldLimits);
    this.#clock = input.clock ?? systemClock;
    this.#admission = new Admission(this.#limits.answering);
    this.#pacer = new FramePacer(() => this.#flush(), this.#clock);
  }

  /** Turns that frames are sent for. */
  get pacedTurns(): number {
    return this.#pacer.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** True if another request may be opened at all. */
  hasRoom(pendingRequests: number): boolean {
    return !this.#isDraining && !this.#held.isFull && this.#pacer.size + pendingRequests < this.#limits.paced;
  }

  /** Takes what the key thread made of a request. Synchronous, so that answers keep the thread's order. */
  accept(opened: OpenAnswer): TurnAcceptance {
    if (opened.type === 'refused') return { kind: 'refused', code: opened.code };
    if (opened.type === 'known') {
      const reply = this.#held.findByRequest(opened.turnId, opened.requestHash);
      if (reply === undefined) return { kind: 'refused', code: 'gone' };
      return this.#answer(reply, opened.streamId);
    }
    const engine = this.#findEngine(opened.model);
    if (engine === undefined) return { kind: 'refused', code: 'unknown-key' };
    return this.#answer(this.#begin(opened, engine), opened.streamId);
  }

  /**
   * @returns false when the stream is not open here.
   * @throws {CryptoError} `malformed`, before anything is watched.
   */
  watch(streamId: string, turns: WorkerWatch['turns']): boolean {
    const wanted = turns.map(({ turnId, transcriptId, from }) => ({
      turn: fromBase64Url(turnId),
      named: transcriptId === null ? null : fromBase64Url(transcriptId),
      from,
    }));
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return false;
    for (const { turn, named, from } of wanted) {
      const replies = this.#held.find(turn).filter((reply) => named === null || equalBytes(named, reply.transcriptId));
      for (const reply of replies) stream.watch(reply, from);
      if (replies.length === 0) stream.send(closedRecord(turn, named ?? noId, 0, 'gone'));
    }
    stream.flush();
    return true;
  }

  /** Every running turn of the id is compared, whether or not there is one that fits. */
  stop(turnId: Uint8Array, token: Uint8Array): void {
    for (const turn of this.#running) if (equalBytes(turn.reply.turnId, turnId)) turn.stopWith(token);
  }

  open(makeStream: (id: Bytes) => LiveStream): LiveStream {
    const stream = makeStream(randomBytes(16));
    this.#streams.set(toBase64Url(stream.id), stream);
    return stream;
  }

  /** A reader went away. The turns go on, and their frames are held. */
  leave(stream: LiveStream): void {
    stream.close();
    this.#streams.delete(toBase64Url(stream.id));
  }

  /** Every few seconds: heartbeats, and replies whose time is over. */
  beat(): void {
    const now = this.#clock.now();
    for (const stream of this.#streams.values()) stream.beat(now);
    this.#held.sweep(now);
  }

  /**
   * Takes nothing more, and ends what runs. Replies that are nearly there get a moment, and the others END, so that their words
   * so far count as stopped and not as cut off.
   */
  async drain(graceMs: number, lastFramesMs: number): Promise<void> {
    this.#isDraining = true;
    const haveEnded = () => [...this.#running].every((turn) => turn.isEndOut);
    await this.#waitUntil(haveEnded, graceMs);
    for (const turn of this.#running) turn.stop();
    await this.#waitUntil(haveEnded, lastFramesMs);
    this.#pacer.stop();
    for (const turn of this.#running) turn.discard();
    this.#running.clear();
    for (const stream of this.#streams.values()) stream.end();
  }

  #begin(opened: OpenedTurn, engine: Engine): HeldReply {
    const { turnId, frameClass, keyId, requestHash, content } = opened;
    const turnKey = new Secret('TurnKey', fromBase64Url(content.turnKey));
    const sealer = new ReplySealer({ turnKey, frameClass, turnId, keyId, requestHash });
    const reply = new HeldReply({
      turnId,
      transcriptId: sealer.transcriptId,
      requestHash,
      header: sealer.header,
      frameLength: sealedFrameLength(frameClass),
    });
    const turn = new RunningTurn({
      reply,
      sealer,
      stopToken: deriveStopToken({ turnKey, turnId }),
      engine,
      sink: {
        onFrame: (frame) => this.#held.append(reply, frame),
        onFinal: () => {
          this.#running.delete(turn);
          this.#held.finish(reply, this.#clock.now());
        },
      },
    });
    turnKey.wipe();
    this.#held.add(reply);
    this.#running.add(turn);
    this.#answerWith(turn, engine, readQuestion(content, engine.accepts));
    this.#pacer.add(turn);
    return reply;
  }

  #answerWith(turn: RunningTurn, engine: Engine, question: Question | null): void {
    if (question === null) return turn.refuseRequest();
    const release = this.#admission.admit(engine);
    if (release === null) turn.refuse();
    else void turn.run(question).finally(release);
  }

  #answer(reply: HeldReply, streamId: string): TurnAcceptance {
    // A stream that broke meanwhile: the relay asks for the turn again on its next one.
    const stream = this.#streams.get(streamId);
    stream?.watch(reply, 0);
    stream?.flush();
    return { kind: 'accepted', turnId: reply.turnId, transcriptId: reply.transcriptId };
  }

  #flush(): void {
    for (const stream of this.#streams.values()) stream.flush();
  }

  async #waitUntil(isDone: () => boolean, longestMs: number): Promise<void> {
    const until = this.#clock.now() + longestMs;
    while (!isDone() && this.#clock.now() < until) {
      await new Promise<void>((resolve) => void this.#clock.callAfter(20, resolve));
    }
  }
}
