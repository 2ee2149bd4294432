import type { Bytes } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';

/** Takes fields one after the other; every number of a quote is little-endian. */
export class LittleEndianReader {
  readonly #bytes: Bytes;
  #offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** @throws {CryptoError} `malformed` where fewer bytes are left. */
  take(length: number): Bytes {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new CryptoError('malformed');
    const field = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return field;
  }

  takeUint16(): number {
    const [low = 0, high = 0] = this.take(2);
    return low + high * 0x100;
  }

  takeUint32(): number {
    return this.takeUint16() + this.takeUint16() * 0x1_0000;
  }

  /** Everything up to here. */
  taken(): Bytes {
    return this.#bytes.subarray(0, this.#offset);
  }

  /** @throws {CryptoError} `malformed` where anything is left. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw new CryptoError('malformed');
  }
}
