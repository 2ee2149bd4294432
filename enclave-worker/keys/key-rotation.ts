import { generateEnclaveKeyPair } from '../../crypto/turn/hybrid-kem.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { toHex } from '../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../crypto/primitives/key-id.ts';
import type { Secret } from '../../crypto/protocol/bytes/secret.ts';

/** A new key each hour; each lives two, so that whoever asked just before still gets an answer. */
export const keyRotationMs = 3_600_000;
export const keyLifetimeMs = 2 * keyRotationMs;

export type EnclaveKey = {
  readonly keyId: Bytes;
  readonly publicKey: Bytes;
  readonly secretKey: Secret<'EnclaveKey'>;
  readonly bornAtMs: number;
  readonly notAfterMs: number;
};

/** The enclave's key pairs: born here, wiped here, and nowhere else. */
export class KeyRotation {
  #keys: EnclaveKey[] = [];
  readonly #onDestroy: (keyIdHex: string) => void;

  /** @param onDestroy - Told after a key was wiped, so that what guards its requests can go with it. */
  constructor(onDestroy: (keyIdHex: string) => void) {
    this.#onDestroy = onDestroy;
  }

  /** @returns the keys that are good now, the newest first; at least one. */
  keysAt(nowMs: number): readonly EnclaveKey[] {
    const over = this.#keys.filter((key) => key.notAfterMs <= nowMs);
    if (over.length > 0) {
      this.#keys = this.#keys.filter((key) => key.notAfterMs > nowMs);
      for (const key of over) {
        key.secretKey.wipe();
        this.#onDestroy(toHex(key.keyId));
      }
    }
    const newest = this.#keys[0];
    if (newest === undefined || nowMs - newest.bornAtMs >= keyRotationMs) {
      const { publicKey, secretKey } = generateEnclaveKeyPair();
      const key = {
        keyId: keyIdOf(publicKey),
        publicKey,
        secretKey,
        bornAtMs: nowMs,
        notAfterMs: nowMs + keyLifetimeMs,
      };
      this.#keys = [key, ...this.#keys];
    }
    return this.#keys;
  }

  secretKeysAt(nowMs: number): ReadonlyMap<string, Secret<'EnclaveKey'>> {
    return new Map(this.keysAt(nowMs).map((key) => [toHex(key.keyId), key.secretKey]));
  }
}
