import type { Engine, EngineEvent, Question } from '../../../enclave-worker/engines/engine/engine.ts';

type Script = (question: Question, signal: AbortSignal) => AsyncIterable<EngineEvent>;

/** An engine that says what a test tells it, when the test tells it. */
export class ScriptedEngine implements Engine {
  readonly kind = 'rehearsal';
  readonly weightsDigest = null;
  readonly model: string;
  readonly capacity: number;
  readonly accepts: Engine['accepts'];
  readonly contextTokens = null;
  /** Signals of the questions so far. */
  readonly signals: AbortSignal[] = [];
  readonly questions: Question[] = [];
  readonly #script: Script;

  constructor(
    script: Script,
    options: { readonly model?: string; readonly capacity?: number; readonly accepts?: Engine['accepts'] } = {},
  ) {
    this.#script = script;
    this.model = options.model ?? 'scripted';
    this.capacity = options.capacity ?? 100;
    this.accepts = options.accepts ?? [];
  }

  answer(question: Question, signal: AbortSignal): AsyncIterable<EngineEvent> {
    this.signals.push(signal);
    this.questions.push(question);
    return this.#script(question, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Says these pieces at once. */
export function saying(...texts: readonly string[]): Script {
  // eslint-disable-next-line typescript/require-await -- an engine is asynchronous by its interface
  return async function* say() {
    for (const text of texts) yield { kind: 'text', text };
  };
}

/** Says something, and then nothing until it is stopped. */
export function sayingThenHanging(...texts: readonly string[]): Script {
  return async function* say(_question, signal) {
    for (const text of texts) yield { kind: 'text', text };
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  };
}
