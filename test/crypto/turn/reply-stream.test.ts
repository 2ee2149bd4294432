import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ReplyEnd } from '../../../crypto/protocol/contents/request-content.ts';
import { frameClasses } from '../../../crypto/protocol/messages/request-header.ts';
import { decodeTranscriptHeader, encodeTranscriptHeader } from '../../../crypto/protocol/messages/transcript-header.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { concat, encodeUtf8, randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { frameCapacity, type ReplyContext } from '../../../crypto/turn/reply-frame.ts';
import { ReplyOpener } from '../../../crypto/turn/reply-opener.ts';
import { encodeEndRecord, encodeTextRecord, recordPrefixLength } from '../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../crypto/turn/reply-sealer.ts';
import { generateTurnKey } from '../../../crypto/turn/turn-key.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { sampleReplyContext } from './sample-turn.ts';

beforeAll(aeadReady);

const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'rehearsal' };
const word = (text: string) => encodeTextRecord('text', encodeUtf8(text));

/** A reply of three frames of words, END, a dummy and FINAL. */
function sampleReply(context: ReplyContext = sampleReplyContext()) {
  const sealer = new ReplySealer(context);
  const frames = [word('In '), word('a '), word('low voice'), encodeEndRecord(end), new Uint8Array(0)].map((content) =>
    sealer.sealFrame(content),
  );
  return { context, header: sealer.header, frames: [...frames, sealer.sealFinal()] };
}

function openerOf({ context, header }: { context: ReplyContext; header: Uint8Array }): ReplyOpener {
  return new ReplyOpener({ ...context, header });
}

function openAll(opener: ReplyOpener, frames: readonly Uint8Array[]): string {
  return frames
    .flatMap((frame) => opener.open(opener.nextNumber, frame).pieces)
    .map((piece) => (piece.kind === 'text' ? piece.text : ''))
    .join('');
}

describe('ReplySealer and ReplyOpener', () => {
  test.each(['chat', 'fast', 'bulk'] as const)(
    '%s: carries contents of every length up to the capacity',
    (frameClass) => {
      const context = sampleReplyContext({ frameClass });
      const capacity = frameCapacity(frameClass);
      const lengths = [6, 7, 64, capacity - 1, capacity];
      const sealer = new ReplySealer(context);
      const opener = openerOf({ context, header: sealer.header });
      for (const length of lengths) {
        const text = 'x'.repeat(length - recordPrefixLength);
        const frame = sealer.sealFrame(word(text));
        expect(frame).toHaveLength(frameClasses[frameClass].plaintextLength + 16);
        expect(openAll(opener, [frame])).toBe(text);
      }
      expect(refusalOf(() => sealer.sealFrame(new Uint8Array(capacity + 1)))).toBe('too-long');
    },
  );

  test('any words come out as they went in, cut into frames anywhere', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 900 }),
        fc.integer({ min: 1, max: 254 }),
        (text, size) => {
          const records = concat(word(text), encodeEndRecord(end));
          const context = sampleReplyContext();
          const sealer = new ReplySealer(context);
          const frames = [];
          for (let i = 0; i < records.length; i += size) frames.push(sealer.sealFrame(records.subarray(i, i + size)));
          frames.push(sealer.sealFinal());
          const opener = openerOf({ context, header: sealer.header });
          expect(openAll(opener, frames)).toBe(text.toWellFormed());
          expect([opener.end, opener.isFinal]).toEqual([end, true]);
          expect(opener.transcriptHash()).toEqual(sha256(sealer.header, ...frames));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('dummies and words are as long as each other, and no two sealings share bytes', () => {
    const context = sampleReplyContext();
    const first = new ReplySealer(context);
    const second = new ReplySealer(context);
    const dummy = new Uint8Array(0);
    const frames = [first.sealFrame(word('low')), second.sealFrame(dummy), first.sealFrame(dummy)];
    expect(new Set(frames.map(({ length }) => length))).toEqual(new Set([272]));
    // The attack that the salt closes: the same turn, answered twice, once with words and once with dummies.
    const sum = frames[0]!.map((byte, i) => byte ^ frames[1]![i]!);
    const plaintext = concat(Uint8Array.of(0, 8), word('low'));
    expect(sum.slice(0, plaintext.length)).not.toEqual(plaintext);
    expect(first.header.slice(35)).not.toEqual(second.header.slice(35));
  });
});

describe('ReplyOpener', () => {
  test('before END knows that it is cut off, after END that the text is whole, after FINAL that nothing is missing (M27)', () => {
    const reply = sampleReply();
    const opener = openerOf(reply);
    const states = reply.frames.map((frame) => {
      opener.open(opener.nextNumber, frame);
      return [opener.end !== null, opener.isFinal];
    });
    expect(states).toEqual([
      [false, false],
      [false, false],
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
  });

  test('refuses a dropped, doubled or moved frame, under its own number or the expected one (M28)', () => {
    const reply = sampleReply();
    const opener = openerOf(reply);
    opener.open(0, reply.frames[0]!);
    expect(refusalOf(() => opener.open(2, reply.frames[2]!))).toBe('out-of-order');
    expect(refusalOf(() => opener.open(0, reply.frames[0]!))).toBe('out-of-order');
    expect(refusalOf(() => opener.open(1, reply.frames[2]!))).toBe('open-failed');
    expect(refusalOf(() => opener.open(1, reply.frames[0]!))).toBe('open-failed');
    expect(refusalOf(() => opener.open(1, reply.frames[5]!))).toBe('open-failed');
    expect(openAll(opener, reply.frames.slice(1))).toBe('a low voice');
    expect(opener.isFinal).toBe(true);
  });

  test('is not moved by garbage: the real frames still open (M29)', () => {
    const reply = sampleReply();
    const opener = openerOf(reply);
    const texts = reply.frames.map((frame) => {
      expect(refusalOf(() => opener.open(opener.nextNumber, randomBytes(272)))).toBe('open-failed');
      expect(refusalOf(() => opener.open(opener.nextNumber, randomBytes(271)))).toBe('open-failed');
      return openAll(opener, [frame]);
    });
    expect(texts.join('')).toBe('In a low voice');
  });

  test('refuses everything after FINAL (M30)', () => {
    const reply = sampleReply();
    const opener = openerOf(reply);
    openAll(opener, reply.frames);
    for (const frame of [...reply.frames, randomBytes(272)]) {
      expect(refusalOf(() => opener.open(opener.nextNumber, frame))).toBe('stream-ended');
    }
  });

  test('refuses the reply of another turn, request, key, class or turn key, at its header (M31)', () => {
    const reply = sampleReply();
    const { context, header } = reply;
    const others: Partial<ReplyContext>[] = [
      { turnId: randomBytes(16) },
      { requestHash: randomBytes(32) },
      { turnKey: generateTurnKey() },
    ];
    for (const change of others) {
      expect(refusalOf(() => openerOf({ context: { ...context, ...change }, header }))).toBe('open-failed');
    }
    const decoded = decodeTranscriptHeader(header);
    for (const change of [
      { keyId: randomBytes(32) },
      { frameClass: 'fast' as const },
      { replySalt: randomBytes(32) },
    ]) {
      const changed = encodeTranscriptHeader({ ...decoded, ...change });
      expect(refusalOf(() => openerOf({ context, header: changed }))).toBe('open-failed');
    }
    expect(refusalOf(() => openerOf(reply))).toBe('accepted');
  });

  test('refuses frames of another transcript of the same turn (M31)', () => {
    const context = sampleReplyContext();
    const [mine, other] = [sampleReply(context), sampleReply(context)];
    const opener = openerOf(mine);
    expect(refusalOf(() => opener.open(0, other.frames[0]!))).toBe('open-failed');
    expect(openAll(opener, mine.frames)).toBe('In a low voice');
  });

  test('refuses every change of the header', () => {
    const reply = sampleReply();
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite'] as const;
    expect(unrefusedTamperings(reply.header, (header) => openerOf({ ...reply, header }), ...codes)).toEqual([]);
  });

  test('refuses every change of a frame', () => {
    const reply = sampleReply();
    const read = (frame: Uint8Array) => openerOf(reply).open(0, frame);
    expect(unrefusedTamperings(reply.frames[0]!, read, 'open-failed')).toEqual([]);
  });

  test('discarded opens nothing more', () => {
    const reply = sampleReply();
    const opener = openerOf(reply);
    opener.discard();
    expect(refusalOf(() => opener.open(0, reply.frames[0]!))).toBe('stream-ended');
  });
});

describe('ReplySealer', () => {
  test('seals nothing after FINAL or once discarded', () => {
    const done = new ReplySealer(sampleReplyContext());
    done.sealFinal();
    expect(refusalOf(() => done.sealFrame(new Uint8Array(0)))).toBe('stream-ended');
    expect(refusalOf(() => done.sealFinal())).toBe('stream-ended');
    const given = new ReplySealer(sampleReplyContext());
    given.discard();
    expect(refusalOf(() => given.sealFrame(new Uint8Array(0)))).toBe('stream-ended');
  });

  test.each([
    ['turn id', { turnId: randomBytes(15) }],
    ['key id', { keyId: randomBytes(31) }],
    ['request hash', { requestHash: randomBytes(33) }],
  ])('refuses a %s of another length', (_name, change) => {
    expect(refusalOf(() => new ReplySealer(sampleReplyContext(change)))).toBe('invalid-argument');
    expect(refusalOf(() => new ReplySealer(sampleReplyContext()))).toBe('accepted');
  });
});
