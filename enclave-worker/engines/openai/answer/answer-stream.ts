import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type EngineEvent } from '../../engine/engine.ts';
import { readEvents, type StreamEvent } from '../../engine/event-stream.ts';
import { AnswerMarks } from './answer-marks.ts';
import { type AnswerValue, readAnswerValue } from './answer-value.ts';
import { decodedBody } from '../wire/decoded-body.ts';
import { meaningOf } from './finish-reason.ts';
import { MessageGrowth } from './message-growth.ts';
import { readRefusal, statusOf, UpstreamRefusal } from '../refusals/refusal.ts';
import { type Piece, ThoughtSplitter } from '../../engine/thought-splitter.ts';

/** A server may send something once a reply is over, such as its counts; some servers leave the connection open. */
const afterEndMs = 2_000;
/**
 * Reads one reply with status 200, in whichever of its forms.
 *
 * @param mayAnswer - Tells if a reply of the model that it names may be given out.
 * @throws {EngineError} `model-unknown` for one that may not, `answer-cut` for one without an end, `answer-unreadable`, `not-a-model-server`, `content-refused`,
 * and what an error inside of it says.
 */
export async function* readAnswer(
  response: IncomingMessage,
  mayAnswer: (model: string) => boolean = () => true,
): AsyncGenerator<EngineEvent> {
  const answer = new AnswerReader(mayAnswer);
  let isReadToEnd = false;
  const events = readEvents(decodedBody(response));
  try {
    for (;;) {
      const next = await nextOf(events, answer.isOver).catch((error: unknown) => {
        // A connection that breaks behind the end cuts nothing.
        if (answer.isOver) return null;
        throw error;
      });
      if (next === null) break;
      isReadToEnd = next === 'end';
      if (next === 'end' || next.kind === 'done') {
        answer.isDone ||= next !== 'end';
        isReadToEnd = true;
        break;
      }
      yield* answer.take(next);
    }
    yield* answer.end();
  } catch (error) {
    yield* answer.flush();
    throw error;
  } finally {
    // Read to its end, the connection serves the next question; else it goes, and the server stops working.
    if (isReadToEnd && response.headers['content-encoding'] === undefined) response.resume();
    else response.destroy();
    void events.return(undefined).catch(() => {});
  }
}

/** @returns null when nothing came for a while behind the end. */
async function nextOf(events: AsyncGenerator<StreamEvent>, isOver: boolean): Promise<StreamEvent | 'end' | null> {
  const coming = events.next().then((result) => (result.done === true ? ('end' as const) : result.value));
  if (!isOver) return coming;
  coming.catch(() => {});
  const timer = new AbortController();
  try {
    const pause = sleep(afterEndMs, null, { signal: timer.signal, ref: false }).catch(() => null);
    return await Promise.race([coming, pause]);
  } finally {
    timer.abort();
  }
}

class AnswerReader {
  /** A server said that nothing follows. */
  isDone = false;
  readonly #splitter = new ThoughtSplitter();
  #marks = new AnswerMarks();
  #hasThoughts = false;
  #finish: string | null = null;
  /** A reason to end stands beside thoughts alone, or more came behind one: then it says nothing about the end. */
  #isFinishEarly = false;
  #usage: AnswerValue['usage'] = null;
  /** Pieces came, beside which a whole message says nothing new. */
  #hasPieces = false;
  readonly #messages = new MessageGrowth();
  #isAlone = false;
  #hasText = false;
  #hasAnswer = false;
  #hasEvents = false;
  readonly #mayAnswer: (model: string) => boolean;

  constructor(mayAnswer: (model: string) => boolean) {
    this.#mayAnswer = mayAnswer;
  }

  get isOver(): boolean {
    return this.#finish === null ? this.#isAlone : !this.#isFinishEarly;
  }

  *take(event: StreamEvent): Generator<EngineEvent> {
    this.#hasEvents = true;
    if (event.kind === 'unreadable') throw new EngineError('answer-unreadable');
    if (event.kind === 'done') return;
    const values = Array.isArray(event.value) ? (event.value as readonly unknown[]) : [event.value];
    for (const value of values) yield* this.#takeValue(readAnswerValue(value, event.name));
  }

  *end(): Generator<EngineEvent> {
    yield* this.#giveAll(this.#splitter.end());
    yield* this.#give(this.#marks.end());
    if (this.#usage !== null) yield { kind: 'usage', ...this.#usage };
    const finish = this.#finish ?? (this.#messages.isOne ? 'stop' : null);
    const meaning = finish === null ? null : meaningOf(finish);
    if (meaning === 'content-refused' || meaning === 'server-failed') throw new EngineError(meaning);
    if (meaning === null && !this.isDone) {
      const isForeign = this.#hasEvents && !this.#hasAnswer;
      // A stream that merely stops is cut, not finished.
      throw new EngineError(isForeign ? 'not-a-model-server' : 'answer-cut');
    }
    if (meaning === 'length') yield { kind: 'length' };
  }

  *#takeValue(value: AnswerValue): Generator<EngineEvent> {
    if (value.error !== undefined) {
      throw new UpstreamRefusal(readRefusal(statusOf(value.error), { error: value.error }));
    }
    if (value.model !== '' && !this.#mayAnswer(value.model)) throw new EngineError('model-unknown');
    this.#hasAnswer ||= value.isAnswer;
    if (!value.isWhole && value.parts.length > 0) this.#hasPieces = true;
    // The whole message once more behind its pieces.
    const parts = !value.isWhole ? value.parts : this.#hasPieces ? [] : this.#messages.grow(value.parts);
    for (const { kind, text } of parts) {
      yield* this.#giveAll(kind === 'reasoning' ? [{ kind, text }] : this.#splitter.push(text));
    }
    this.#usage = value.usage ?? this.#usage;
    const isThought = value.parts.some(({ kind }) => kind === 'reasoning');
    const isText = value.parts.some(({ kind }) => kind === 'text');
    if (this.#finish !== null && (isThought || isText)) this.#isFinishEarly = true;
    else if (value.finish !== null) this.#isFinishEarly = isThought && !isText && !this.#hasText;
    this.#hasText ||= isText;
    this.#finish = value.finish ?? this.#finish;
    // A message alone that says nothing of an end is the reply.
    if (value.isWhole) this.#isAlone = this.#messages.isOne && !value.goesOn;
  }

  /** Gives the words that were held back of a reply that ends before its end. */
  *flush(): Generator<EngineEvent> {
    yield* this.#giveAll(this.#splitter.end());
    yield* this.#give(this.#marks.flush());
  }

  *#giveAll(pieces: readonly Piece[]): Generator<EngineEvent> {
    for (const piece of pieces) {
      if (piece.kind === 'text') {
        yield* this.#give(this.#marks.push(piece.text, this.#hasThoughts));
        continue;
      }
      this.#hasThoughts = true;
      if (piece.kind === 'note') {
        yield* this.#give(this.#marks.flush());
        this.#marks = new AnswerMarks();
      }
      yield piece;
    }
  }

  *#give(text: string): Generator<EngineEvent> {
    if (text !== '') yield { kind: 'text', text };
  }
}
