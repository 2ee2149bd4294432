import { encodeUtf8, lengthPrefixed, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../../../../crypto/protocol/json/canonical-json.ts';
import { sizeClassOf } from '../../../../crypto/protocol/bytes/size-class.ts';

/** SPEC.md §1 and §2.3. */
export function makeEncodingVectors() {
  const values: readonly unknown[] = [
    null,
    [],
    {},
    { b: 1, a: [true, false, null], '': 'x', é: 2, '😀': 3, '\ufb33': 4 },
    '\u0000\b\t\n\f\r\u001f"\\/\u007f\u2028é😀',
    [0, 1, -1, 0.1, 1e21, 1e-7, 123_456_789_012_345_680_000, 5e-324, 1.7976931348623157e308],
  ];
  const refused = [
    '{"b":1,"a":1}',
    '{"a":1,"a":1}',
    '{"a": 1}',
    '1.0',
    '-0',
    '"\\u0041"',
    '"\\ud800"',
    '"\\/"',
    '{}\n',
    '\ufeff{}',
    '1e400',
    '9007199254740993',
    '{"__proto__":1}',
    `${'['.repeat(17)}${']'.repeat(17)}`,
  ];
  const lengths = [
    0, 1, 1023, 1024, 1025, 4096, 4097, 65_537, 1_048_576, 1_048_577, 1_081_345, 3_000_000, 16_777_215, 16_777_216,
  ];
  return {
    canonicalJson: values.map((value) => ({ value, bytes: toHex(encodeCanonicalJson(value)) })),
    refusedJson: refused.map((text) => toHex(encodeUtf8(text))),
    lengthPrefixed: [[], [''], ['', ''], ['ab', 'c'], ['a', 'bc']].map((parts) => ({
      parts: parts.map((part) => toHex(encodeUtf8(part))),
      bytes: toHex(lengthPrefixed(...parts.map(encodeUtf8))),
    })),
    sizeClasses: lengths.map((length) => ({ length, padded: sizeClassOf(length) })),
  };
}
