import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReplyEnd } from '../../../crypto/protocol/contents/request-content.ts';
import { concat, encodeUtf8 } from '../../../crypto/protocol/bytes/bytes.ts';
import {
  encodeEndRecord,
  encodeNoteRecord,
  encodeTextRecord,
  encodeTitleRecord,
  RecordReader,
  type ReplyPiece,
} from '../../../crypto/turn/reply-record.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'rehearsal' };

function joined(pieces: readonly ReplyPiece[], kind: 'text' | 'reasoning' | 'title'): string {
  return pieces.map((piece) => (piece.kind === kind ? piece.text : '')).join('');
}

function readAll(bytes: Uint8Array, cuts: readonly number[]): { reader: RecordReader; pieces: ReplyPiece[] } {
  const reader = new RecordReader();
  const pieces: ReplyPiece[] = [];
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    pieces.push(...reader.push(bytes.subarray(from, to)));
    from = to;
  }
  return { reader, pieces };
}

describe('RecordReader', () => {
  test('reads the same words however frames and records are cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        (text, reasoning, cuts, recordLength) => {
          const records = (kind: 'text' | 'reasoning', words: string) => {
            const bytes = encodeUtf8(words);
            const parts = [];
            for (let i = 0; i < bytes.length; i += recordLength) {
              parts.push(encodeTextRecord(kind, bytes.subarray(i, i + recordLength)));
            }
            return parts;
          };
          const bytes = concat(...records('reasoning', reasoning), ...records('text', text), encodeEndRecord(end));
          const { reader, pieces } = readAll(bytes, cuts);
          expect(joined(pieces, 'text')).toBe(text.toWellFormed());
          expect(joined(pieces, 'reasoning')).toBe(reasoning.toWellFormed());
          expect(reader.end).toEqual(end);
        },
      ),
    );
  });

  test('reads a title, and skips a kind of a later version', () => {
    const later = Uint8Array.of(200, 0, 0, 0, 3, 1, 2, 3);
    const bytes = concat(later, encodeTitleRecord('Low voices'), later, encodeEndRecord(end));
    for (const cuts of [[], [3], [8, 9, 10, 11, 12, 13, 14]]) {
      const { reader, pieces } = readAll(bytes, cuts);
      expect(joined(pieces, 'title')).toBe('Low voices');
      expect(reader.end).toEqual(end);
    }
  });

  test('reads notes, and skips one that it does not understand or that is too long', () => {
    const unknown = Uint8Array.of(128, 0, 0, 0, 2, 0x7b, 0x7d);
    const long = new Uint8Array(5 + 2000).fill(0x20);
    long.set([128, 0, 0, 0x07, 0xd0]);
    const note = encodeNoteRecord({ kind: 'cause', cause: 'model-loading' });
    const bytes = concat(unknown, long, note, encodeTextRecord('text', encodeUtf8('a')), encodeEndRecord(end));
    for (const cuts of [[], [3, 6, 9], Array.from({ length: bytes.length }, (_, i) => i)]) {
      const { reader, pieces } = readAll(bytes, cuts);
      const notes = pieces.flatMap((piece) => (piece.kind === 'note' ? [piece.note] : []));
      expect(notes).toEqual([{ kind: 'cause', cause: 'model-loading' }]);
      expect([joined(pieces, 'text'), reader.end]).toEqual(['a', end]);
    }
  });

  test('keeps a byte order mark, which is a character like others', () => {
    const bytes = encodeTextRecord('text', encodeUtf8('\uFEFFa'));
    expect(joined(readAll(bytes, []).pieces, 'text')).toBe('\uFEFFa');
  });

  const text = encodeTextRecord('text', encodeUtf8('a'));
  const halfCharacter = encodeTextRecord('text', encodeUtf8('🤫').subarray(0, 2));
  test.each([
    ['kind 0', Uint8Array.of(0, 0, 0, 0, 1, 0)],
    ['an unknown kind below 128', Uint8Array.of(5, 0, 0, 0, 1, 0)],
    ['an empty record', Uint8Array.of(1, 0, 0, 0, 0, 0)],
    ['a text record above 65,536 bytes', Uint8Array.of(1, 0, 1, 0, 1)],
    ['an END above 1,024 bytes', Uint8Array.of(3, 0, 0, 4, 1)],
    ['a title above 800 bytes', Uint8Array.of(4, 0, 0, 3, 0x21)],
    ['a title above 200 characters', encodeTitleRecordUnchecked('a'.repeat(201))],
    ['bytes that are not UTF-8', encodeTextRecord('text', Uint8Array.of(0xff))],
    ['END inside a character', concat(halfCharacter, encodeEndRecord(end))],
    ['text after END', concat(encodeEndRecord(end), text)],
    ['a second END', concat(encodeEndRecord(end), encodeEndRecord(end))],
    ['END that is no canonical JSON', Uint8Array.of(3, 0, 0, 0, 3, 0x7b, 0x20, 0x7d)],
    ['END with a field too many', encodeEndRecord({ ...end, extra: 1 } as ReplyEnd)],
    ['END with a code that is not of the list', encodeEndRecord({ ...end, code: '<b>' } as unknown as ReplyEnd)],
  ])('refuses %s, beside text and END that are right', (_name, bytes) => {
    expect(refusalOf(() => new RecordReader().push(bytes))).toBe('malformed');
    expect(refusalOf(() => new RecordReader().push(concat(text, encodeEndRecord(end))))).toBe('accepted');
  });
});

function encodeTitleRecordUnchecked(title: string): Uint8Array {
  const bytes = encodeUtf8(title);
  return concat(Uint8Array.of(4, 0, 0, bytes.length >> 8, bytes.length & 255), bytes);
}

describe('encoding records', () => {
  test('refuses what a reader would', () => {
    expect(refusalOf(() => encodeTextRecord('text', new Uint8Array(0)))).toBe('invalid-argument');
    expect(refusalOf(() => encodeTextRecord('text', new Uint8Array(65_537)))).toBe('invalid-argument');
    expect(refusalOf(() => encodeTextRecord('text', new Uint8Array(65_536)))).toBe('accepted');
    expect(refusalOf(() => encodeTitleRecord('ä'.repeat(401)))).toBe('too-long');
    expect(refusalOf(() => encodeTitleRecord('ä'.repeat(200)))).toBe('accepted');
  });
});
