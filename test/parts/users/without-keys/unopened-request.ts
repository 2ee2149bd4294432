import { encodeRequestHeader } from '../../../../crypto/protocol/messages/request-header.ts';
import type { SealedRequestMessage } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';

/** A sealed request whose inside nobody opens: a real header, and random bytes where the seals are. */
export function sealedRequestFor(options: { readonly model: string; readonly turnId?: Bytes }): {
  readonly turnId: Bytes;
  readonly request: SealedRequestMessage;
} {
  const turnId = options.turnId ?? randomBytes(16);
  const header = encodeRequestHeader({
    turnId,
    model: options.model,
    frameClass: 'chat',
    expiresAtMs: Date.now() + 300_000,
  });
  const recipient = {
    keyId: toBase64Url(randomBytes(32)),
    encapsulation: toBase64Url(randomBytes(1120)),
    wrappedKey: toBase64Url(randomBytes(48)),
  };
  return {
    turnId,
    request: { header: toBase64Url(header), body: toBase64Url(randomBytes(1100)), recipients: [recipient] },
  };
}
