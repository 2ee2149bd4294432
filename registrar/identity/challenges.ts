import { hmacSha256 } from '../../crypto/protocol/bytes/hash.ts';
import {
  type Bytes,
  concat,
  equalBytes,
  randomBytes,
  readUint64,
  toHex,
  uint64,
} from '../../crypto/protocol/bytes/bytes.ts';
import { RegistrarError } from '../registrar-error.ts';

const lifeMs = 120_000;
const randomLength = 8;
const tagLength = 16;
const bodyLength = 8 + randomLength;
/** More calls than this in two minutes no fleet makes. */
const maximumUsed = 50_000;

/**
 * Challenges that nobody has to remember: the time they end at, random bytes and a MAC of both. Only used ones are kept, until they
 * would be over anyway. A restart makes all of them void.
 */
export class Challenges {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, number>();

  /** @returns 32 bytes, good for one call within two minutes. */
  draw(nowMs: number): { readonly challenge: Bytes; readonly expiresAtMs: number } {
    const expiresAtMs = nowMs + lifeMs;
    const body = concat(uint64(expiresAtMs), randomBytes(randomLength));
    return { challenge: concat(body, this.#tag(body)), expiresAtMs };
  }

  /** Uses it up. @throws {RegistrarError} `challenge-refused`, `too-many-requests`. */
  take(challenge: Uint8Array, nowMs: number): void {
    const body = challenge.slice(0, bodyLength);
    const isOurs =
      challenge.length === bodyLength + tagLength && equalBytes(challenge.slice(bodyLength), this.#tag(body));
    if (!isOurs) throw new RegistrarError('challenge-refused');
    const expiresAtMs = readUint64(body, 0);
    const name = toHex(body);
    if (expiresAtMs <= nowMs || this.#used.has(name)) throw new RegistrarError('challenge-refused');
    if (this.#used.size >= maximumUsed) this.#forget(nowMs);
    this.#used.set(name, expiresAtMs);
  }

  #tag(body: Uint8Array): Bytes {
    return hmacSha256(this.#key, body).slice(0, tagLength);
  }

  #forget(nowMs: number): void {
    for (const [name, expiresAtMs] of this.#used) if (expiresAtMs <= nowMs) this.#used.delete(name);
    if (this.#used.size >= maximumUsed) throw new RegistrarError('too-many-requests', lifeMs / 1000);
  }
}
