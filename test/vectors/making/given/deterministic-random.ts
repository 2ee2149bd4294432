import { createHash } from 'node:crypto';

/**
 * Runs an action whose random bytes are `SHA-256(label || counter (4))`, counter from 0, joined and cut as asked for.
 *
 * The product has no way to be given a salt; so the platform below it is replaced, for the time of one action. That makes
 * vectors that anyone can make again byte for byte.
 */
export function withDeterministicRandom<Result>(label: string, action: () => Result): Result {
  let counter = 0;
  let pool = Buffer.alloc(0);
  const draw = (length: number): Buffer => {
    while (pool.length < length) {
      const place = Buffer.alloc(4);
      place.writeUInt32BE(counter++);
      pool = Buffer.concat([pool, createHash('sha256').update(label).update(place).digest()]);
    }
    const drawn = pool.subarray(0, length);
    pool = pool.subarray(length);
    return drawn;
  };
  const getRandomValues = (bytes: Uint8Array) => {
    bytes.set(draw(bytes.length));
    return bytes;
  };
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: getRandomValues, configurable: true });
  try {
    return action();
  } finally {
    Reflect.deleteProperty(globalThis.crypto, 'getRandomValues');
  }
}
