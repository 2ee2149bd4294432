import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type EngineEvent } from '../engine.ts';
import { readEvents, type StreamEvent } from '../event-stream.ts';
import { type AnswerValue, readAnswerValue } from './answer-value.ts';
import { decodedBody } from './decoded-body.ts';
import { readRefusal, statusOf, UpstreamRefusal } from './refusal.ts';
import { ThoughtSplitter } from './thought-splitter.ts';

/** What still comes once an answer is over, such as its counts: some servers leave the connection open. */
const afterEndMs = 2_000;
const lengthReasons: ReadonlySet<string> = new Set([
  'length',
  'max_length',
  'max_tokens',
  'max_output_tokens',
  'model_context_window_exceeded',
  'model_length',
  'token_limit',
]);
const filterReasons: ReadonlySet<string> = new Set([
  'blocklist',
  'content_filter',
  'guardrail_intervened',
  'prohibited_content',
  'recitation',
  'refusal',
  'safety',
  'sensitive',
  'spii',
]);
const brokenReasons: ReadonlySet<string> = new Set([
  'abort',
  'cancelled',
  'error',
  'insufficient_system_resource',
  'internal_error',
  'network_error',
  'server_error',
  'timeout',
]);

/**
 * Reads one answer with status 200, in whichever of its forms.
 *
 * @param mayAnswer - Whether an answer of the model that it names may be given out.
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
      const next = await nextOf(events, answer.isOver);
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
  #finish: string | null = null;
  #usage: AnswerValue['usage'] = null;
  #hasParts = false;
  #hasAnswer = false;
  #hasEvents = false;
  readonly #mayAnswer: (model: string) => boolean;

  constructor(mayAnswer: (model: string) => boolean) {
    this.#mayAnswer = mayAnswer;
  }

  get isOver(): boolean {
    return this.#finish !== null;
  }

  *take(event: StreamEvent): Generator<EngineEvent> {
    this.#hasEvents = true;
    if (event.kind === 'unreadable') throw new EngineError('answer-unreadable');
    if (event.kind === 'done') return;
    const values = Array.isArray(event.value) ? (event.value as readonly unknown[]) : [event.value];
    for (const value of values) yield* this.#takeValue(readAnswerValue(value, event.name));
  }

  *end(): Generator<EngineEvent> {
    yield* this.#splitter.end();
    if (this.#usage !== null) yield { kind: 'usage', ...this.#usage };
    const finish = this.#finish?.toLowerCase() ?? null;
    if (finish !== null && filterReasons.has(finish)) throw new EngineError('content-refused');
    if (finish !== null && brokenReasons.has(finish)) throw new EngineError('server-failed');
    if (finish === null && !this.isDone) {
      const isForeign = this.#hasEvents && !this.#hasAnswer;
      // A stream that merely stops is cut, not finished.
      throw new EngineError(isForeign ? 'not-a-model-server' : 'answer-cut');
    }
    if (finish !== null && lengthReasons.has(finish)) yield { kind: 'length' };
  }

  *#takeValue(value: AnswerValue): Generator<EngineEvent> {
    if (value.error !== undefined) {
      yield* this.#splitter.end();
      throw new UpstreamRefusal(readRefusal(statusOf(value.error), { error: value.error }));
    }
    if (value.model !== '' && !this.#mayAnswer(value.model)) throw new EngineError('model-unknown');
    this.#hasAnswer ||= value.isAnswer;
    // The whole message once more behind its pieces.
    if (!value.isWhole || !this.#hasParts) {
      for (const { kind, text } of value.parts) {
        this.#hasParts = true;
        if (kind === 'reasoning') yield { kind, text };
        else yield* this.#splitter.push(text);
      }
    }
    this.#usage = value.usage ?? this.#usage;
    this.#finish = value.finish ?? (value.isWhole ? 'stop' : null) ?? this.#finish;
  }
}
