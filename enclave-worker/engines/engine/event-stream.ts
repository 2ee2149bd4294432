import { EngineError } from './engine.ts';

/** Longest single event that a server may send, in UTF-16 units: a reply of the greatest length in one piece. */
const maximumEventLength = 8 * 1024 * 1024;

/** One event of a stream. `value` is its data as JSON; `unreadable` begins as JSON does and is none. */
export type StreamEvent =
  | { readonly kind: 'value'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'done' }
  | { readonly kind: 'unreadable' };

/**
 * Reads the JSON events of a reply, whatever the pieces it arrives in: a server-sent event stream (WHATWG HTML §9.2),
 * JSON lines, or one JSON document.
 *
 * In three things it is more lenient than the standard. Data that is whole in one line is given out at once, since some servers
 * send no blank lines. A last event needs no blank line behind it. Lines that begin with a brace or a bracket are data.
 *
 * @throws {EngineError} `answer-unreadable` for an event longer than 8 Mi characters, `not-a-model-server` for a web page.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = new EventReader();
  // A byte order mark is taken off by the decoder, and a character may lie in two pieces.
  const decoder = new TextDecoder();
  for await (const chunk of chunks) yield* reader.push(decoder.decode(chunk, { stream: true }));
  yield* reader.push(decoder.decode());
  yield* reader.end();
}

class EventReader {
  /** The beginning of a line whose end has not come. */
  #line: string[] = [];
  #length = 0;
  #isAfterCr = false;
  #name = '';
  #data: string[] = [];
  /** A JSON document over many lines, outside of any event. */
  #isDocument = false;
  #isFirst = true;

  *push(text: string): Generator<StreamEvent> {
    let start = this.#isAfterCr && text.startsWith('\n') ? 1 : 0;
    if (text !== '') this.#isAfterCr = false;
    for (const { index, 0: sign } of text.matchAll(/\r\n|\r|\n/g)) {
      if (index < start) continue;
      this.#grow(text.slice(start, index));
      start = index + sign.length;
      this.#isAfterCr = sign === '\r' && start === text.length;
      const line = this.#line.join('');
      this.#line = [];
      yield* this.#take(line);
    }
    if (start < text.length) this.#grow(text.slice(start));
  }

  *end(): Generator<StreamEvent> {
    const line = this.#line.join('');
    if (line !== '') yield* this.#take(line);
    yield* this.#flush(true);
  }

  #grow(part: string): void {
    this.#length += part.length;
    if (this.#length > maximumEventLength) throw new EngineError('answer-unreadable');
    if (part !== '') this.#line.push(part);
  }

  *#take(line: string): Generator<StreamEvent> {
    // Comments keep a connection, before a reply of any form.
    if (this.#isFirst && line.trim() !== '' && !line.startsWith(':')) {
      this.#isFirst = false;
      if (line.trimStart().startsWith('<')) throw new EngineError('not-a-model-server');
      this.#isDocument = /^\s*[[{]\s*$/.test(line) || (/^\s*[[{]/.test(line) && parse(line) === undefined);
    }
    if (this.#isDocument) {
      this.#data.push(line);
      return;
    }
    if (line === '') {
      yield* this.#flush(false);
      return;
    }
    if (/^\s*[{[]/.test(line)) {
      yield* this.#takeData(line);
      return;
    }
    const colon = line.indexOf(':');
    const field = (colon === -1 ? line : line.slice(0, colon)).trim().toLowerCase();
    const rest = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    // Proxies that wrap each line of a stream write the name twice.
    const value = field === 'data' ? rest.replace(/^data: ?(?=[{[])/, '') : rest;
    // `id` and `retry` are for readers that come back; a line that begins with a colon is a comment.
    if (field === 'event') this.#name = value;
    else if (field === 'data') yield* this.#takeData(value);
    // Older ones of llama.cpp name the field after the event.
    else if (field === 'error') yield { kind: 'value', name: 'error', value: parse(value) ?? value };
    else if (this.#data.length === 0) this.#length = 0;
  }

  *#takeData(value: string): Generator<StreamEvent> {
    // A text that does not begin an object cannot go on in this line.
    if (this.#data[0] !== undefined && !/^\s*[{[]/.test(this.#data[0])) yield* this.#flush(false);
    const isAlone = this.#data.length === 0;
    const trimmed = value.trim();
    const isEnd = endNames.has(this.#name.trim().toLowerCase());
    if (isAlone && (isDone(trimmed) || isEnd)) {
      this.#reset();
      for (const last of leadingValues(trimmed)) yield { kind: 'value', name: '', value: last };
      yield { kind: 'done' };
      return;
    }
    const whole = isAlone && /[}\]]$/.test(trimmed) ? parse(trimmed) : undefined;
    if (whole === undefined) {
      this.#data.push(value);
      return;
    }
    const name = this.#name;
    this.#reset();
    yield { kind: 'value', name, value: whole };
  }

  *#flush(isEnd: boolean): Generator<StreamEvent> {
    const name = this.#name;
    const lines = this.#data;
    this.#reset();
    if (lines.length === 0) return;
    const whole = parse(lines.join('\n'));
    if (whole !== undefined) {
      yield { kind: 'value', name, value: whole };
      return;
    }
    for (const line of this.#isDocument ? [lines.join('\n')] : lines) {
      const values = leadingValues(line);
      for (const value of values) yield { kind: 'value', name, value };
      if (values.length > 0) continue;
      if (isDone(line.trim())) yield { kind: 'done' };
      // The last event of a stream that was cut is none; a word such as "ping" says nothing.
      else if (/^\s*[{[]/.test(line) && !isEnd) yield { kind: 'unreadable' };
      else if (name === 'error') yield { kind: 'value', name, value: line };
    }
  }

  #reset(): void {
    this.#name = '';
    this.#data = [];
    this.#length = 0;
  }
}

/** Servers write `[DONE]` in several ways. */
function isDone(data: string): boolean {
  return data.length <= 8 && /^"?(?:\[done\]|done)"?$/i.test(data);
}

/** Events that are the last, whatever they hold. */
const endNames: ReadonlySet<string> = new Set(['done', 'end', 'close']);

/** Values that stand one behind the other without a line end between them; what is none any more goes. */
function leadingValues(line: string): unknown[] {
  const values: unknown[] = [];
  let depth = 0;
  let start = -1;
  for (const { index, 0: sign } of line.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\]]/gs)) {
    if (sign === '{' || sign === '[') {
      if (depth === 0 && !isBetween(line.slice(start + 1, index))) break;
      if (depth === 0) start = index;
      depth += 1;
    } else if (sign === '}' || sign === ']') {
      depth -= 1;
      const value = depth === 0 ? parse(line.slice(start, index + 1)) : undefined;
      if (depth < 0 || (depth === 0 && value === undefined)) break;
      if (depth > 0) continue;
      values.push(value);
      start = index;
    }
  }
  return values;
}

/** Nothing, or the name of the field once more. */
function isBetween(text: string): boolean {
  return text.length <= 20 && /^\s*(?:,|data:)?\s*$/.test(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return notJson.test(text) ? parseWithout(text) : undefined;
  }
}

/** Numbers that Python writes and JSON does not have, such as the logarithm of nothing. */
const notJson = /\b(?:NaN|Infinity)\b/;

function parseWithout(text: string): unknown {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (part) =>
    part.startsWith('"') ? part : 'null',
  );
  try {
    return JSON.parse(plain) as unknown;
  } catch {
    return undefined;
  }
}
