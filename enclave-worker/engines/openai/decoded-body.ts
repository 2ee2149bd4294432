import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { EngineError } from '../engine.ts';

/** The pieces of an answer as the server meant them: proxies compress also what was asked for plain. */
export function decodedBody(response: IncomingMessage): AsyncIterable<Buffer> {
  const codings = (response.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (codings.length === 0) return response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  // More than one on top of the other is no server's habit.
  const decoder = codings.length === 1 ? decoderOf(codings[0] ?? '') : null;
  if (decoder === null) {
    response.destroy();
    throw new EngineError('answer-unreadable');
  }
  // Whoever iterates gets the error; the socket goes with it.
  pipeline(response, decoder, () => {});
  return decoder as AsyncIterable<Buffer>;
}

function decoderOf(coding: string): (Transform & Readable) | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      return new DeflateDecoder();
    default:
      return null;
  }
}

/** `deflate` is zlib's form by the standard, and the bare one of some servers. */
class DeflateDecoder extends Transform {
  #inner: ReturnType<typeof createInflate> | null = null;

  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#inner === null) {
      const isZlib = ((chunk[0] ?? 0) & 0x0f) === 8;
      this.#inner = isZlib ? createInflate() : createInflateRaw();
      this.#inner.on('data', (piece: Buffer) => this.push(piece));
      this.#inner.on('error', (error) => this.destroy(error));
    }
    this.#inner.write(chunk, () => done());
  }

  override _flush(done: () => void): void {
    if (this.#inner === null) return done();
    this.#inner.once('end', () => done());
    this.#inner.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }
}
