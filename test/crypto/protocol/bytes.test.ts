import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  concat,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  fromBase64Url,
  fromHex,
  lengthPrefixed,
  randomBytes,
  readUint32,
  readUint64,
  toBase64Url,
  toHex,
  uint32,
  uint64,
} from '../../../crypto/protocol/bytes/bytes.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('base64url', () => {
  it('agrees with Node, lengths 0 to 64 and around a piece', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBase64Url(value)).toBe(Buffer.from(value).toString('base64url'));
      }),
    );
    for (const length of [12_287, 12_288, 12_289, 24_577]) {
      const value = randomBytes(length);
      expect(toBase64Url(value)).toBe(Buffer.from(value).toString('base64url'));
      expect(equalBytes(fromBase64Url(toBase64Url(value)), value)).toBe(true);
    }
  });

  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromBase64Url(toBase64Url(value))).toEqual(value);
      }),
    );
  });

  it('every text either is what toBase64Url writes, or is refused', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('ABab01-_=+/ .é')), maxLength: 12 });
    fc.assert(
      fc.property(text, (value) => {
        const code = refusalOf(() => fromBase64Url(value));
        const canonical = code === 'accepted' && toBase64Url(fromBase64Url(value)) === value;
        expect(canonical || code === 'malformed').toBe(true);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AA==', 'AB', 'AAB', 'A+', 'A/', 'A A', 'AA\n', 'ÄA', 'A\u0000'])('refuses %j', (text) => {
    expect(refusalOf(() => fromBase64Url(text))).toBe('malformed');
  });

  it.each([
    ['', ''],
    ['AA', '00'],
    ['_-8', 'ffef'],
  ])('accepts %j', (text, hex) => {
    expect(toHex(fromBase64Url(text))).toBe(hex);
  });
});

describe('hex', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
      }),
    );
  });

  it.each(['0', 'AB', '0x', 'g0', ' 00'])('refuses %j', (text) => {
    expect(refusalOf(() => fromHex(text))).toBe('malformed');
  });
});

describe('integers', () => {
  it('come back, big-endian', () => {
    expect(toHex(uint32(0x0102_0304))).toBe('01020304');
    expect(toHex(uint64(0x0102_0304_0506))).toBe('0000010203040506');
    fc.assert(
      fc.property(fc.nat(), (value) => {
        expect(readUint32(uint32(value), 0)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(readUint64(uint64(value), 0)).toBe(value);
      }),
    );
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN])('uint32 refuses %d', (value) => {
    expect(refusalOf(() => uint32(value))).toBe('invalid-argument');
  });

  it.each([-1, 0.5, 2 ** 53, Infinity])('uint64 refuses %d', (value) => {
    expect(refusalOf(() => uint64(value))).toBe('invalid-argument');
  });

  it('reading past the end, or what a double cannot hold, is refused', () => {
    expect(refusalOf(() => readUint32(new Uint8Array(4), 1))).toBe('malformed');
    expect(refusalOf(() => readUint64(new Uint8Array(8), 1))).toBe('malformed');
    expect(readUint64(fromHex('001fffffffffffff'), 0)).toBe(Number.MAX_SAFE_INTEGER);
    expect(refusalOf(() => readUint64(fromHex('0020000000000000'), 0))).toBe('malformed');
  });

  it('reads from the middle of a larger buffer', () => {
    expect(readUint32(concat(uint32(1), uint32(2)).subarray(4), 0)).toBe(2);
  });
});

describe('lengthPrefixed', () => {
  it('no two lists give the same bytes', () => {
    const list = fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const same = a.length === b.length && a.every((part, place) => equalBytes(part, b[place]!));
        expect(equalBytes(lengthPrefixed(...a), lengthPrefixed(...b))).toBe(same);
      }),
    );
  });

  it('a moved border is seen', () => {
    expect(lengthPrefixed(encodeUtf8('ab'), encodeUtf8('c'))).not.toEqual(
      lengthPrefixed(encodeUtf8('a'), encodeUtf8('bc')),
    );
  });
});

describe('comparing and text', () => {
  it('equalBytes and compareBytes agree with Node', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytes(a, b)).toBe(Buffer.from(a).equals(b));
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
      }),
    );
  });

  it.each(['ff', 'c0af', 'eda080', 'f5808080', 'e282'])('decodeUtf8 refuses %s', (hex) => {
    expect(refusalOf(() => decodeUtf8(fromHex(hex)))).toBe('malformed');
  });

  it('decodeUtf8 keeps a byte-order mark', () => {
    expect(decodeUtf8(fromHex('efbbbf41'))).toBe('\ufeffA');
  });

  it('randomBytes gives more than one draw of the platform', () => {
    const drawn = randomBytes(70_000);
    expect(drawn).toHaveLength(70_000);
    expect(drawn.subarray(65_536).some((byte) => byte !== 0)).toBe(true);
  });
});
