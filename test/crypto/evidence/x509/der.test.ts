import { describe, expect, test } from 'vitest';
import {
  readBitString,
  readBoolean,
  readDer,
  readInteger,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
} from '../../../../crypto/evidence/x509/der.ts';
import { fromHex, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { context, der, integer, octetString, oid, sequence, time } from '../../../parts/evidence/vendors/der-writer.ts';
import { seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';

const node = (hex: string) => readDer(fromHex(hex));
const malformed = expect.objectContaining({ code: 'malformed' });

describe('readDer', () => {
  test('reads a value with its raw bytes, its contents and its children', () => {
    const inner = [integer(1), octetString(new Uint8Array(300))];
    const whole = sequence(...inner);
    const read = readDer(whole);
    expect(read.tag).toBe(0x30);
    expect(read.raw).toEqual(whole);
    expect(read.children().map(({ raw }) => raw)).toEqual(inner);
    expect(read.children()[1]?.content.length).toBe(300);
  });

  test.each([0, 1, 127, 128, 129, 255, 256, 257, 65_535, 65_536])('reads %i bytes of contents', (length) => {
    expect(readDer(octetString(new Uint8Array(length))).content.length).toBe(length);
  });

  test.each([
    ['nothing', ''],
    ['a tag alone', '04'],
    ['a length that is not there', '0481'],
    ['contents that end early', '040301 02'],
    ['a byte behind the value', '04010100'],
    ['two values', '0401010401 01'],
    ['an indefinite length', '308004010000 00'],
    ['a short length written long', '04810101'],
    ['a length with a leading zero', `04820080${'00'.repeat(128)}`],
    ['a length of four bytes', `048400000080${'00'.repeat(128)}`],
    ['an indefinite length that would fit', `0480${'00'.repeat(128)}`],
    ['a reserved length', '04ff00'],
    ['a long tag number', '1f0100'],
    ['the end-of-contents tag', '0000'],
  ])('refuses %s', (_name, hex) => {
    expect(() => node(hex.replaceAll(' ', ''))).toThrow(malformed);
  });

  test('refuses children of what is primitive, and children that are no DER', () => {
    expect(() => node('0403020101').children()).toThrow(malformed);
    expect(() => node('3003020201').children()).toThrow(malformed);
    expect(node('3003020101').children().length).toBe(1);
  });

  test('refuses more than 128 KiB, 16 levels or 32,768 values', () => {
    expect(readDer(octetString(new Uint8Array(131_067))).raw.length).toBe(131_072);
    expect(() => readDer(octetString(new Uint8Array(131_068)))).toThrow(expect.objectContaining({ code: 'too-long' }));
    const nested = (levels: number) => {
      let value = integer(1);
      for (let level = 0; level < levels; level++) value = sequence(value);
      let read = readDer(value);
      while (read.tag === 0x30) read = read.children()[0]!;
      return readSmallInteger(read);
    };
    expect(nested(16)).toBe(1);
    expect(() => nested(17)).toThrow(malformed);
    const flat = (count: number) =>
      readDer(
        der(
          0x30,
          new Uint8Array(2 * count).fill(5).map((_, i) => (i % 2 === 0 ? 5 : 0)),
        ),
      );
    expect(flat(32_767).children().length).toBe(32_767);
    expect(() => flat(32_768).children()).toThrow(malformed);
  });

  test('ends with a value or a CryptoError, whatever comes', () => {
    const next = seededNumbers(1);
    const walk = (value: ReturnType<typeof readDer>): number =>
      (value.tag & 0x20) === 0 ? 1 : value.children().reduce((sum, child) => sum + walk(child), 1);
    let [read, refused] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const tags = [0x30, 0x31, 0x02, 0x04, 0xa0, 0x80, next(256)];
      const bytes = Uint8Array.from({ length: 1 + next(40) }, (_, i) => (i % 2 === 0 ? tags[next(7)]! : next(12)));
      try {
        walk(readDer(bytes));
        read++;
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        refused++;
      }
    }
    // Both sorts were met, or the test would show nothing.
    expect(Math.min(read, refused)).toBeGreaterThan(20);
  });
});

describe('values', () => {
  test.each([
    ['020100', '00'],
    ['02017f', '7f'],
    ['02020080', '80'],
    ['020200ff', 'ff'],
    ['02020100', '0100'],
  ])('readInteger: %s', (hex, value) => {
    expect(toHex(readInteger(node(hex)))).toBe(value);
  });

  test.each(['0200', '020180', '0201ff', '02020001', '0202007f', '0203000080', '0301 00', '050 0'].map((hex) => [hex]))(
    'readInteger: refuses %s',
    (hex) => {
      expect(() => readInteger(node(hex.replaceAll(' ', '')))).toThrow(malformed);
    },
  );

  test('readSmallInteger: up to 32 bits', () => {
    expect(readSmallInteger(node('020500ffffffff'))).toBe(0xffff_ffff);
    expect(() => readSmallInteger(node('02050100000000'))).toThrow(malformed);
  });

  test('readBoolean: 00 and ff alone', () => {
    expect([readBoolean(node('010100')), readBoolean(node('0101ff'))]).toEqual([false, true]);
    for (const hex of ['010101', '0100', '0102ffff', '020100']) expect(() => readBoolean(node(hex))).toThrow(malformed);
  });

  test.each([
    '0.0',
    '1.39.1',
    '2.5.29.15',
    '2.16.840.1.101.3.4.2.2',
    '1.3.6.1.4.1.3704.1.3.8',
    '1.2.16384',
    '2.999.4294967295',
  ])('readOid: %s', (dotted) => {
    const [first = 0, second = 0] = dotted.split('.').map(Number);
    const written = first === 2 && second > 39 ? fromHex('0607883 78fffffff7f'.replaceAll(' ', '')) : oid(dotted);
    expect(readOid(readDer(written))).toBe(dotted);
  });

  test.each([
    '0600',
    '060180',
    '060181',
    '06022a81',
    `0621${'2a'.repeat(33)}`,
    '06028001',
    '0603808001',
    '060a2a8fffffffffffffff7f',
  ])('readOid: refuses %s', (hex) => {
    expect(() => readOid(node(hex.replaceAll(' ', '')))).toThrow(malformed);
  });

  test('readOid: up to 32 bytes', () => {
    expect(readOid(node(`0620${'2a'.repeat(32)}`)).split('.').length).toBe(33);
  });

  test('bit strings: whole bytes, or a few named bits', () => {
    expect(toHex(readBitString(node('0303000102')))).toBe('0102');
    for (const hex of ['0300', '03020101', '04020001']) expect(() => readBitString(node(hex))).toThrow(malformed);
    expect([...readNamedBits(node('03020106'))]).toEqual([5, 6]);
    expect([...readNamedBits(node('03020780'))]).toEqual([0]);
    expect([...readNamedBits(node('0303070180'))]).toEqual([7, 8]);
    expect([...readNamedBits(node('030100'))]).toEqual([]);
    // AMD's root keys write the zero bits behind the last one.
    expect([...readNamedBits(node('03020006'))]).toEqual([5, 6]);
    for (const hex of ['0300', '03020880', '03020800', '030107', '03020181', '030400010203']) {
      expect(() => readNamedBits(node(hex))).toThrow(malformed);
    }
  });
});

describe('readTime', () => {
  const read = (tag: number, text: string) => readTime(readDer(der(tag, Buffer.from(text))));

  test('reads both forms as Date does', () => {
    const next = seededNumbers(2);
    for (let round = 0; round < 500; round++) {
      const timeMs = (next(4_000_000_000) + next(2) * 200_000_000_000) * 1000;
      expect(readTime(readDer(time(timeMs)))).toBe(timeMs);
    }
    expect(read(0x17, '491231235959Z')).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
    expect(read(0x17, '500101000000Z')).toBe(Date.UTC(1950, 0, 1));
    expect(read(0x18, '99991231235959Z')).toBe(Date.UTC(9999, 11, 31, 23, 59, 59));
    expect(read(0x17, '240229000000Z')).toBe(Date.UTC(2024, 1, 29));
    expect(read(0x18, '20000229000000Z')).toBe(Date.UTC(2000, 1, 29));
  });

  test.each([
    [0x17, '230229000000Z'],
    [0x18, '21000229000000Z'],
    [0x17, '240431000000Z'],
    [0x17, '240001000000Z'],
    [0x17, '241301000000Z'],
    [0x17, '240100000000Z'],
    [0x17, '240101240000Z'],
    [0x17, '240101006000Z'],
    [0x17, '240101000060Z'],
    [0x17, '2401010000Z'],
    [0x17, '240101000000'],
    [0x17, '240101000000+0000'],
    [0x17, '2401010000000Z'],
    [0x17, '24010100000 Z'],
    [0x17, '20240101000000Z'],
    [0x18, '240101000000Z'],
    [0x18, '20240101000000.5Z'],
    [0x18, '19491231235959Z'],
    [0x0c, '240101000000Z'],
  ])('refuses %i %s', (tag, text) => {
    expect(() => read(tag, text)).toThrow(malformed);
  });

  test('refuses bytes that are no text, and a missing time', () => {
    expect(() => readTime(readDer(der(0x17, new Uint8Array(13).fill(0xff))))).toThrow(malformed);
    expect(() => readTime(undefined)).toThrow(malformed);
    expect(() => readTime(readDer(context(0)))).toThrow(malformed);
  });
});
