import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { asBytes } from '../api/route/wire-bytes.ts';

/** Sixteen bytes as a map key: one character a byte, which Node makes without a loop. */
export function idKey(id: Uint8Array): string {
  const buffer = Buffer.isBuffer(id) ? id : Buffer.from(id.buffer, id.byteOffset, id.length);
  return buffer.toString('latin1', 0, 16);
}

export function idOfKey(key: string): Bytes {
  return asBytes(Buffer.from(key, 'latin1'));
}
