import type { PlainContent } from '../../../crypto/protocol/contents/request-content.ts';
import type { RequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { generateTurnKey } from '../../../crypto/turn/turn-key.ts';
import type { ReplyContext } from '../../../crypto/turn/reply-frame.ts';

export function sampleHeader(changes: Partial<RequestHeader> = {}): RequestHeader {
  return {
    turnId: randomBytes(16),
    model: 'rehearsal',
    frameClass: 'chat',
    expiresAtMs: 1_795_000_000_000,
    ...changes,
  };
}

export function sampleContent(changes: Partial<PlainContent> = {}): PlainContent {
  return {
    format: 1,
    turnKey: toBase64Url(randomBytes(32)),
    evidenceDigest: toBase64Url(randomBytes(32)),
    cacheSalt: toBase64Url(randomBytes(32)),
    messages: [
      { role: 'system', text: 'Answer in a low voice.' },
      { role: 'user', text: 'Wer hört mit? 🤫' },
    ],
    parameters: { temperature: 0.5, maximumTokens: 100 },
    ...changes,
  };
}

export function sampleReplyContext(changes: Partial<ReplyContext> = {}): ReplyContext {
  return {
    turnKey: generateTurnKey(),
    frameClass: 'chat',
    turnId: randomBytes(16),
    keyId: randomBytes(32),
    requestHash: randomBytes(32),
    ...changes,
  };
}
