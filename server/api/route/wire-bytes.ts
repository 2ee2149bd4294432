import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from './relay-error.ts';

/** Node's buffers, which own no shared memory here, as the bytes that `crypto/` names. */
export const asBytes = (buffer: Buffer): Bytes => buffer as unknown as Bytes;

/**
 * Decodes base64url of a parsed message with Node's own decoder: bodies reach 16 MiB.
 *
 * @throws {RelayError} `bad-request` for any spelling but the canonical one.
 */
export function decodeBytes(text: string): Bytes {
  const buffer = Buffer.from(text, 'base64url');
  // The decoder skips what is not of the alphabet, so that its result is shorter, and takes the other alphabet's two characters.
  const isWhole = text.length % 4 !== 1 && buffer.length === Math.floor((text.length * 3) / 4);
  const tail = text.slice(text.length - (text.length % 4));
  const isCanonical = buffer.toString('base64url', buffer.length - (buffer.length % 3)) === tail;
  if (!isWhole || !isCanonical || text.includes('+') || text.includes('/')) throw new RelayError('bad-request');
  return asBytes(buffer);
}

/** Writes base64url as `crypto/` does, for bytes that come out of the database. */
export function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}
