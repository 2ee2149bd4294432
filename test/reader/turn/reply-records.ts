import { readCanonicalJson, type JsonObject } from '../protocol/canonical-json.ts';
import { Fields, join, readUtf8, u32, u8, zeros, type Bytes } from '../protocol/conventions.ts';
import * as json from '../protocol/json-schema.ts';
import { Refusal, refuse } from '../protocol/refusal.ts';

/** Kinds of SPEC.md §8.3. */
export const recordKinds = { text: 1, reasoning: 2, end: 3, title: 4, note: 128, summary: 129 } as const;

const longestRecord = 65_536;
const longestOf = new Map<number, number>([
  [recordKinds.text, longestRecord],
  [recordKinds.reasoning, longestRecord],
  [recordKinds.end, 1024],
  [recordKinds.title, 800],
]);

const causes = [
  'model-loading',
  'model-overloaded',
  'quota-spent',
  'key-refused',
  'model-unknown',
  'request-too-large',
  'content-refused',
  'server-failed',
  'not-a-model-server',
  'salt-refused',
  'answer-cut',
  'answer-unreadable',
  'no-answer',
];
const noteSchemas = [
  json.isObject({ kind: json.isOneOf('cause'), cause: json.isOneOf(...causes) }),
  json.isObject({ kind: json.isOneOf('left-out'), messages: json.isInteger(1, 10_000) }),
  json.isObject({ kind: json.isOneOf('text-was-reasoning') }),
];

const summarySchema = json.isObject({ covered: json.isHash, text: json.isText(1, 8_000) });

const endSchema = json.isObject({
  outcome: json.isOneOf('complete', 'stopped', 'length', 'error', 'busy'),
  code: json.isOneOf(
    null,
    'model-failed',
    'model-unreachable',
    'model-refused',
    'context-too-long',
    'too-many-turns',
    'request-invalid',
  ),
  usage: json.isNullOr(json.isObject({ promptTokens: json.isCount, replyTokens: json.isCount })),
  model: json.isText(0, 128),
  engine: json.isText(0, 32),
});

export const writeRecord = (kind: number, bytes: Bytes): Bytes => join(u8(kind), u32(bytes.length), bytes);

/** Takes the contents of frames in order and gathers what their records say. */
export class RecordReader {
  #pending: Bytes = zeros(0);
  readonly #decoders = {
    text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
    reasoning: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  };
  text = '';
  reasoning = '';
  titles: string[] = [];
  notes: JsonObject[] = [];
  summaries: JsonObject[] = [];
  end: JsonObject | null = null;

  /** `malformed` for whatever SPEC.md §8.3 rejects. */
  add(content: Bytes): void {
    if (content.length > 0 && this.end !== null) refuse('malformed');
    this.#pending = join(this.#pending, content);
    for (;;) {
      const [kind, length] = this.#nextLength();
      if (length === null || this.#pending.length < 5 + length) return;
      const bytes = this.#pending.slice(5, 5 + length);
      this.#pending = this.#pending.slice(5 + length);
      this.#take(kind, bytes);
    }
  }

  /** The kind and length of the record that begins here, checked as soon as they are there. */
  #nextLength(): [number, number | null] {
    const kind = this.#pending[0];
    if (kind === undefined) return [0, null];
    if (kind < 128 && !longestOf.has(kind)) refuse('malformed');
    if (this.#pending.length < 5) return [kind, null];
    const length = new Fields(this.#pending.slice(1, 5)).integer(4);
    if (length === 0 || length > (longestOf.get(kind) ?? longestRecord)) refuse('malformed');
    return [kind, length];
  }

  #take(kind: number, bytes: Bytes): void {
    if (kind === recordKinds.text) this.text += this.#decode('text', bytes);
    if (kind === recordKinds.reasoning) this.reasoning += this.#decode('reasoning', bytes);
    if (kind === recordKinds.title) this.#takeTitle(readUtf8(bytes));
    if (kind === recordKinds.note) this.#takeKnown(this.notes, bytes, 1024, noteSchemas);
    if (kind === recordKinds.summary) this.#takeKnown(this.summaries, bytes, 32_768, [summarySchema]);
    if (kind === recordKinds.end) this.#takeEnd(bytes);
  }

  #takeTitle(title: string): void {
    if (title.length > 200) refuse('malformed');
    this.titles.push(title);
  }

  /** Whatever fits no schema is a later writer's, and skipped. */
  #takeKnown(taken: JsonObject[], bytes: Bytes, longest: number, schemas: readonly json.Check[]): void {
    for (const schema of schemas) {
      try {
        taken.push(json.readObject(readCanonicalJson(bytes, longest), schema));
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
  }

  #takeEnd(bytes: Bytes): void {
    this.#decode('text', null);
    this.#decode('reasoning', null);
    this.end = json.readObject(readCanonicalJson(bytes, 1024), endSchema);
    if (this.#pending.length > 0) refuse('malformed');
  }

  /** A character may lie in two records of one kind; with null it must be complete. */
  #decode(stream: 'text' | 'reasoning', bytes: Bytes | null): string {
    try {
      return bytes === null ? this.#decoders[stream].decode() : this.#decoders[stream].decode(bytes, { stream: true });
    } catch {
      return refuse('malformed');
    }
  }
}
