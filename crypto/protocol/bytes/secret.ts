import type { Bytes } from './bytes.ts';

/**
 * Secret bytes that cannot be printed, serialised or compared by accident.
 *
 * `Name` keeps an account key from being passed where a turn key belongs. `expose()` is the one way in, so that
 * `grep expose` lists every use.
 */
export class Secret<Name extends string> {
  readonly #bytes: Bytes;
  readonly secretName: Name;

  /** Takes the bytes over: the caller keeps no copy. */
  constructor(secretName: Name, bytes: Bytes) {
    this.secretName = secretName;
    this.#bytes = bytes;
  }

  expose(): Bytes {
    return this.#bytes;
  }

  /** Best effort: a garbage collector may have copied the bytes before (SECURITY.md). */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  // Node's console.log asks for this symbol.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
