import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';

/** A new id of an item or a turn: 16 random bytes in base64url. */
export function newId(): string {
  return toBase64Url(randomBytes(16));
}
