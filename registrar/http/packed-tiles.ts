import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const pack = promisify(gzip);
/** Some two hundred full bundles: what auditors read last. */
const usualMaximumBytes = 16 * 1024 * 1024;

/** Compressed bundles, which never change under their paths: each is packed once, beside the event loop, however many ask. */
export class PackedTiles {
  readonly #maximumBytes: number;
  readonly #packed = new Map<string, Uint8Array>();
  readonly #packing = new Map<string, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(maximumBytes = usualMaximumBytes) {
    this.#maximumBytes = maximumBytes;
  }

  /** @param bytes - The bytes of this path, always the same. */
  async find(path: string, bytes: Uint8Array): Promise<Uint8Array> {
    const known = this.#packed.get(path);
    if (known !== undefined) {
      // The map's order is the order of use.
      this.#packed.delete(path);
      this.#packed.set(path, known);
      return known;
    }
    const packing = this.#packing.get(path) ?? this.#pack(path, bytes);
    this.#packing.set(path, packing);
    return packing;
  }

  async #pack(path: string, bytes: Uint8Array): Promise<Uint8Array> {
    try {
      const packed = await pack(bytes);
      this.#packed.set(path, packed);
      this.#bytes += packed.length;
      for (const [oldest, { length }] of this.#packed) {
        if (this.#bytes <= this.#maximumBytes) break;
        this.#packed.delete(oldest);
        this.#bytes -= length;
      }
      return packed;
    } finally {
      this.#packing.delete(path);
    }
  }
}
