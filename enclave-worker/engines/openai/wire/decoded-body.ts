import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { EngineError } from '../../engine/engine.ts';

/** Servers write these as codings, and none of them is one. */
const noCodings: ReadonlySet<string> = new Set(['', 'identity', 'none', 'utf-8', 'utf8']);

/** The pieces of an answer as the server meant them: proxies compress also what was asked for plain. */
export function decodedBody(response: IncomingMessage): AsyncIterable<Buffer> {
  const codings = (response.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => !noCodings.has(name));
  if (codings.length === 0) return response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  // More than one on top of the other is no server's habit.
  const decoder = new SniffingDecoder(codings.length === 1 ? compressionOf(codings[0] ?? '') : null);
  // The code that iterates gets the error; the socket goes with it.
  pipeline(response, decoder, () => {});
  return decoder as AsyncIterable<Buffer>;
}

/** Some proxies take the compression away and leave its header. Neither of these begins a compressed body that is one. */
function isPlain(chunk: Buffer): boolean {
  return /^(?:\uFEFF)?\s*(?:data:|event:|id:|retry:|:|[{[]\s*["{[\]}])/.test(chunk.toString('latin1', 0, 64));
}

/** Takes what begins as an answer in plain text for one. */
class SniffingDecoder extends Transform {
  /** null: a coding that nobody reads here. */
  readonly #decoder: (Transform & Readable) | null;
  #isPlain: boolean | null = null;

  constructor(decoder: (Transform & Readable) | null) {
    super();
    this.#decoder = decoder;
    decoder?.on('data', (piece: Buffer) => {
      if (!this.push(piece)) decoder.pause();
    });
    decoder?.on('error', (error) => this.destroy(error));
  }

  override _read(size: number): void {
    this.#decoder?.resume();
    super._read(size);
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error?: Error | null, piece?: Buffer) => void): void {
    this.#isPlain ??= isPlain(chunk);
    if (this.#isPlain) done(null, chunk);
    else if (this.#decoder === null) done(new EngineError('answer-unreadable'));
    else this.#decoder.write(chunk, () => done());
  }

  override _flush(done: () => void): void {
    if (this.#isPlain === true || this.#decoder === null) return done();
    this.#decoder.once('end', () => done());
    this.#decoder.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#decoder?.destroy();
    done(error);
  }
}

function compressionOf(coding: string): (Transform & Readable) | null {
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
