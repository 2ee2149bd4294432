import { EngineError } from './engine.ts';

/** Longest single event that a server may send. */
const maximumEventLength = 1024 * 1024;

/**
 * Cuts a server-sent event stream into the `data` of its events (WHATWG HTML §9.2), whatever the pieces it arrives in.
 *
 * @throws {EngineError} `model-failed` for an event longer than 1 MiB.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  let fields: string[] = [];
  for await (const chunk of chunks) {
    pending += decoder.decode(chunk, { stream: true });
    if (pending.length > maximumEventLength) throw new EngineError('model-failed');
    let start = 0;
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n', start)) {
      const line = pending.slice(start, end > start && pending[end - 1] === '\r' ? end - 1 : end);
      start = end + 1;
      if (line === '') {
        if (fields.length > 0) yield fields.join('\n');
        fields = [];
      } else if (line.startsWith('data:')) {
        fields.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
    }
    pending = pending.slice(start);
  }
}
