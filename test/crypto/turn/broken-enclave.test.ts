import { beforeAll, describe, expect, test } from 'vitest';
import type { ReplyEnd } from '../../../crypto/protocol/contents/request-content.ts';
import { encodeTranscriptHeader } from '../../../crypto/protocol/messages/transcript-header.ts';
import { aeadReady, sealChaCha20Poly1305 } from '../../../crypto/primitives/aead.ts';
import { type Bytes, concat, encodeUtf8, randomBytes, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { deriveReplyKey, type ReplyContext, writeFrameNonce } from '../../../crypto/turn/reply-frame.ts';
import { ReplyOpener } from '../../../crypto/turn/reply-opener.ts';
import { encodeEndRecord, encodeTextRecord } from '../../../crypto/turn/reply-record.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import { sampleReplyContext } from './sample-turn.ts';

beforeAll(aeadReady);

const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'rehearsal' };
const word = (text: string) => encodeTextRecord('text', encodeUtf8(text));
const openerOf = ({ context, header }: { context: ReplyContext; header: Uint8Array }) =>
  new ReplyOpener({ ...context, header });

describe('ReplyOpener ends for good on what an enclave sealed against the format:', () => {
  const context = () => sampleReplyContext();

  /** Seals any plaintext as any frame, as a broken enclave could. */
  function rawTranscript(replyContext: ReplyContext) {
    const replySalt = randomBytes(32);
    const { replyKey, commitment } = deriveReplyKey(replyContext, replySalt);
    const { frameClass } = replyContext;
    const header = encodeTranscriptHeader({ frameClass, keyId: replyContext.keyId as Bytes, replySalt, commitment });
    const raw = (number: number, isFinal: boolean, plaintext: Uint8Array) => {
      const nonce = new Uint8Array(12);
      writeFrameNonce(nonce, number, isFinal);
      const associatedData = new Uint8Array(0);
      return sealChaCha20Poly1305({ key: replyKey.expose(), nonce, plaintext, associatedData });
    };
    const frame = (number: number, isFinal: boolean, content: Uint8Array) =>
      raw(number, isFinal, concat(Uint8Array.of(0, content.length), content, new Uint8Array(254 - content.length)));
    return { context: replyContext, header, raw, frame };
  }

  test('a length above the capacity', () => {
    const transcript = rawTranscript(context());
    const plaintext = new Uint8Array(256);
    plaintext.set([0, 255]);
    const opener = openerOf(transcript);
    expect(refusalOf(() => opener.open(0, transcript.raw(0, false, plaintext)))).toBe('malformed');
    expect(refusalOf(() => opener.open(0, transcript.frame(0, false, word('a'))))).toBe('stream-ended');
  });

  test('padding that is not zero', () => {
    const transcript = rawTranscript(context());
    const plaintext = new Uint8Array(256);
    plaintext[255] = 1;
    expect(refusalOf(() => openerOf(transcript).open(0, transcript.raw(0, false, plaintext)))).toBe('malformed');
    plaintext[255] = 0;
    expect(refusalOf(() => openerOf(transcript).open(0, transcript.raw(0, false, plaintext)))).toBe('accepted');
  });

  test('FINAL before END, of another count, or over other frames', () => {
    const endRecord = encodeEndRecord(end);
    const verdict = (content: (header: Uint8Array, frame: Uint8Array) => Uint8Array, records = endRecord) => {
      const transcript = rawTranscript(context());
      const first = transcript.frame(0, false, records);
      const opener = openerOf(transcript);
      opener.open(0, first);
      return refusalOf(() => opener.open(1, transcript.frame(1, true, content(transcript.header, first))));
    };
    const right = (header: Uint8Array, frame: Uint8Array) => concat(uint32(1), sha256(header, frame));
    expect(verdict(right)).toBe('accepted');
    expect(verdict(right, word('no end'))).toBe('malformed');
    expect(verdict((header, frame) => concat(uint32(2), sha256(header, frame)))).toBe('malformed');
    expect(verdict((_header, frame) => concat(uint32(1), sha256(frame)))).toBe('malformed');
    expect(verdict((header, frame) => concat(right(header, frame), Uint8Array.of(0)))).toBe('malformed');
    expect(verdict(() => new Uint8Array(0))).toBe('malformed');
  });
});
