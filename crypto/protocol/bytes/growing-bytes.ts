import type { Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

const firstCapacity = 4_096;

/**
 * Collects bytes that come in pieces in one buffer. Kept by themselves, pieces of one byte would take a hundred times their
 * length.
 */
export class GrowingBytes {
  readonly #maximumLength: number;
  readonly #onGrowth: (added: number) => void;
  #buffer: Bytes = new Uint8Array(0);
  #length = 0;

  /** @param onGrowth - Told of memory before it is taken; what it throws ends the collecting. */
  constructor(maximumLength: number, onGrowth: (added: number) => void = () => undefined) {
    this.#maximumLength = maximumLength;
    this.#onGrowth = onGrowth;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws {CryptoError} `too-long` beyond the maximum. */
  push(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#maximumLength) throw new CryptoError('too-long');
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** The collected bytes, in memory of their own that is at most twice as long. Nothing may be pushed afterwards. */
  take(): Bytes {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const capacity = Math.min(this.#maximumLength, Math.max(length, 2 * this.#buffer.length, firstCapacity));
    this.#onGrowth(capacity - this.#buffer.length);
    const grown = new Uint8Array(capacity);
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
