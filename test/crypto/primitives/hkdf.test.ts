import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, fromHex, lengthPrefixed, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { hmacSha256, labelled, sha256, sha512 } from '../../../crypto/protocol/bytes/hash.ts';
import { deriveBytes } from '../../../crypto/primitives/hkdf.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import wycheproof from '../../vectors/hkdf-sha256.wycheproof.json' with { type: 'json' };

describe('HKDF-SHA256, Wycheproof', () => {
  it('has all 86 tests, valid and invalid ones', () => {
    expect(wycheproof.tests).toHaveLength(86);
    expect(new Set(wycheproof.tests.map(({ result }) => result))).toEqual(new Set(['valid', 'invalid']));
  });

  const tests = wycheproof.tests.map((test) => ({
    tcId: test.tcId,
    valid: test.result === 'valid',
    input: { key: fromHex(test.ikm), salt: fromHex(test.salt), info: fromHex(test.info), length: test.size },
    okm: test.okm,
  }));

  it.each(tests.filter(({ valid }) => valid))('$tcId is derived', ({ input, okm }) => {
    expect(toHex(deriveBytes(input))).toBe(okm);
  });

  it.each(tests.filter(({ valid }) => !valid))('$tcId is refused', ({ input }) => {
    expect(refusalOf(() => deriveBytes(input))).toBe('invalid-argument');
  });
});

describe('deriveBytes', () => {
  const key = encodeUtf8('key');
  const info = encodeUtf8('info');

  it('takes an absent salt as an empty one', () => {
    expect(deriveBytes({ key, info, length: 32 })).toEqual(
      deriveBytes({ key, salt: new Uint8Array(0), info, length: 32 }),
    );
  });

  it.each([-1, 1.5, Number.NaN, 8161])('refuses a length of %d', (length) => {
    expect(refusalOf(() => deriveBytes({ key, info, length }))).toBe('invalid-argument');
  });

  it('gives 0 and 8160 bytes', () => {
    expect(deriveBytes({ key, info, length: 0 })).toHaveLength(0);
    expect(deriveBytes({ key, info, length: 8160 })).toHaveLength(8160);
  });
});

describe('hashes against OpenSSL', () => {
  it('sha256, sha512 and HMAC agree at every split', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (parts) => {
        const joined = Buffer.concat(parts);
        expect(toHex(sha256(...parts))).toBe(createHash('sha256').update(joined).digest('hex'));
        expect(toHex(sha512(...parts))).toBe(createHash('sha512').update(joined).digest('hex'));
        const key = parts[0] ?? new Uint8Array(0);
        expect(toHex(hmacSha256(key, joined))).toBe(createHmac('sha256', key).update(joined).digest('hex'));
      }),
    );
  });

  it('labelled: a label and its fields, each behind its length', () => {
    expect(labelled('sotto/v1/x', Uint8Array.of(7))).toEqual(
      lengthPrefixed(encodeUtf8('sotto/v1/x'), Uint8Array.of(7)),
    );
    expect(toHex(labelled('sotto/v1/x', Uint8Array.of(7)))).toBe('0000000a736f74746f2f76312f780000000107');
  });
});
