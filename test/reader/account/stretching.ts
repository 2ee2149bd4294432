import { argon2Sync, createHmac } from 'node:crypto';
import { join, u8, zeros, type Bytes } from '../protocol/conventions.ts';

const hashLength = 64;

export const hmacSha512 = (key: Bytes, ...message: readonly Bytes[]): Bytes =>
  new Uint8Array(
    createHmac('sha512', key)
      .update(join(...message))
      .digest(),
  );

export const extractSha512 = (key: Bytes): Bytes => hmacSha512(zeros(0), key);

/** HKDF-Expand of RFC 5869 over SHA-512. */
export function expandSha512(key: Bytes, info: Bytes, length: number): Bytes {
  let [output, block] = [zeros(0), zeros(0)];
  for (let counter = 1; output.length < length; counter++) {
    block = hmacSha512(key, block, info, u8(counter));
    output = join(output, block);
  }
  return output.slice(0, length);
}

/** The profile `argon2id-64mib-3` of SPEC.md §3.3. */
export function stretch(oprfOutput: Bytes): Bytes {
  const parameters = { message: oprfOutput, nonce: zeros(16), parallelism: 4, memory: 65_536, passes: 3 };
  return new Uint8Array(argon2Sync('argon2id', { ...parameters, tagLength: hashLength }));
}
