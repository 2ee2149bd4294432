import type { Bytes } from '../../crypto/primitives/bytes.ts';
import { RelayError } from '../relay-error.ts';

/** Node's buffers, which own no shared memory here, as the bytes that `crypto/` names. */
export const asBytes = (buffer: Buffer): Bytes => buffer as unknown as Bytes;

/**
 * Decodes base64url of a parsed message with Node's own decoder: bodies reach 16 MiB.
 *
 * @throws {RelayError} `bad-request` for any spelling but the canonical one.
 */
export function decodeBytes(text: string): Bytes {
  const buffer = Buffer.from(text, 'base64url');
  if (buffer.toString('base64url') !== text) throw new RelayError('bad-request');
  return asBytes(buffer);
}

/** What `crypto/` writes as base64url, for bytes that come out of the database. */
export function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}
