import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { concat, decodeUtf8, encodeUtf8 } from '../../../crypto/protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

const anything = v.unknown();
const decode = (text: string) => decodeCanonicalJson(encodeUtf8(text), anything, 10_000);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('encodeCanonicalJson', () => {
  it.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{}, '{}'],
    [[], '[]'],
    ['\u0000\u001f\n"\\/\u2028é😀', '"\\u0000\\u001f\\n\\"\\\\/\u2028é😀"'],
    // RFC 8785, appendix B.
    [
      [0, -0, 1e21, 1e-7, 333333333.3333333, 9007199254740992, 5e-324],
      '[0,0,1e+21,1e-7,333333333.3333333,9007199254740992,5e-324]',
    ],
    // RFC 8785 §3.2.3: by UTF-16 code units, so U+1F600 (d83d …) comes before U+FB33.
    [{ '\ufb33': 1, '😀': 2, '\r': 3, '1': 4, '€': 5 }, '{"\\r":3,"1":4,"€":5,"😀":2,"\ufb33":1}'],
    ['a\ud800b', '"a\ufffdb"'],
  ])('%j', (value, text) => {
    expect(decodeUtf8(encodeCanonicalJson(value))).toBe(text);
  });

  it.each([
    ['undefined', undefined],
    ['a member that is undefined', { a: undefined }],
    ['NaN', Number.NaN],
    ['Infinity', [Infinity]],
    ['a bigint', 1n],
    ['a function', { a: () => 1 }],
    ['a Date', new Date(0)],
    ['bytes', new Uint8Array(2)],
    ['a Map', new Map()],
    ['__proto__', JSON.parse('{"__proto__":1}') as unknown],
    ['17 levels', JSON.parse(nested(17)) as unknown],
  ])('refuses %s', (_, value) => {
    expect(refusalOf(() => encodeCanonicalJson(value))).toBe('invalid-argument');
  });

  it('takes 16 levels', () => {
    expect(decodeUtf8(encodeCanonicalJson(JSON.parse(nested(16))))).toBe(nested(16));
  });

  it('comes back whatever the value', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed() && value !== '__proto__');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        text,
        fc.boolean(),
        fc.constant(null),
        tie('array'),
        tie('object'),
      ),
      array: fc.array(tie('tree'), { maxLength: 4 }),
      object: fc.dictionary(text, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const bytes = encodeCanonicalJson(value);
        const back = decodeCanonicalJson(bytes, anything, 1_000_000);
        expect(encodeCanonicalJson(back)).toEqual(bytes);
        expect(JSON.stringify(back)).toBe(JSON.stringify(JSON.parse(decodeUtf8(bytes))));
      }),
    );
  });
});

describe('decodeCanonicalJson, M24', () => {
  it('accepts the twin of what is refused below', () => {
    expect(decode('{"a":1,"b":[1.5,"é"]}')).toEqual({ a: 1, b: [1.5, 'é'] });
  });

  it.each([
    ['white space', '{"a": 1}'],
    ['white space before', ' {}'],
    ['a trailing newline', '{}\n'],
    ['keys out of order', '{"b":1,"a":1}'],
    ['a duplicate key', '{"a":1,"a":1}'],
    ['a duplicate key spelled otherwise', '{"a":1,"\\u0061":1}'],
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['__proto__ spelled otherwise', '{"\\u005f_proto__":1}'],
    ['an escape that need not be', '"\\u0041"'],
    ['an upper-case escape', '"\\u001F"'],
    ['an escaped solidus', '"\\/"'],
    ['half a surrogate pair', '"\\ud800"'],
    ['1.0', '1.0'],
    ['-0', '-0'],
    ['1E3', '1E3'],
    ['an integer that a double cannot hold', '9007199254740993'],
    ['a number too large for a double', '1e400'],
    ['17 levels', nested(17)],
    ['100,000 levels', '['.repeat(100_000)],
    ['a value and another', '1 2'],
    ['a comment', '{}//'],
    ['a byte-order mark', '\ufeff{}'],
    ['nothing', ''],
    ['NaN', 'NaN'],
  ])('refuses %s', (_, text) => {
    expect(refusalOf(() => decodeCanonicalJson(encodeUtf8(text), anything, 200_000))).toBe('malformed');
  });

  it('refuses bytes that are not UTF-8, and a zero behind', () => {
    expect(refusalOf(() => decodeCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22), anything, 10))).toBe('malformed');
    expect(refusalOf(() => decodeCanonicalJson(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), anything, 10))).toBe('malformed');
    expect(refusalOf(() => decodeCanonicalJson(concat(encodeUtf8('{}'), new Uint8Array(1)), anything, 10))).toBe(
      'malformed',
    );
  });

  it('refuses what is longer than its limit', () => {
    const bytes = encodeUtf8('[1,2]');
    expect(refusalOf(() => decodeCanonicalJson(bytes, anything, 4))).toBe('malformed');
    expect(decodeCanonicalJson(bytes, anything, 5)).toEqual([1, 2]);
  });

  it('refuses what the schema refuses, unknown keys included', () => {
    const schema = v.strictObject({ a: v.number() });
    expect(decodeCanonicalJson(encodeUtf8('{"a":1}'), schema, 100)).toEqual({ a: 1 });
    expect(refusalOf(() => decodeCanonicalJson(encodeUtf8('{"a":"1"}'), schema, 100))).toBe('malformed');
    expect(refusalOf(() => decodeCanonicalJson(encodeUtf8('{"a":1,"b":2}'), schema, 100))).toBe('malformed');
    expect(refusalOf(() => decodeCanonicalJson(encodeUtf8('{"a":1,"constructor":2}'), schema, 100))).toBe('malformed');
  });
});
