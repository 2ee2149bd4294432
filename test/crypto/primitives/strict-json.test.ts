import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictJson } from '../../../crypto/primitives/strict-json.ts';

const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;

test('parseStrictJson: gives what JSON.parse gives for anything with one meaning', () => {
  const value = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    node: fc.oneof(
      { depthSize: 'small', maxDepth: 8 },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        tie('node'),
        { maxKeys: 4 },
      ),
    ),
  })).node;
  fc.assert(
    fc.property(value, fc.constantFrom(0, 1, 3), (original, indent) => {
      const text = JSON.stringify(original, null, indent);
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['a key twice', '{"a":1,"a":2}', '{"a":1,"b":2}'],
  ['a key twice in two spellings', '{"a":1,"\\u0061":2}', '{"a":1,"\\u0062":2}'],
  ['a key twice with blanks', '{ "a" : 1 , "a"\n: 2 }', '{ "a" : 1 , "b"\n: 2 }'],
  ['a key twice further in', '[{"x":{"a":1,"b":[],"a":2}}]', '[{"x":{"a":1,"b":[],"c":2}},{"x":1}]'],
  ['__proto__', '{"__proto__":{"admin":true}}', '{"proto":{"admin":true}}'],
  ['__proto__ in another spelling', '{"\\u005f_proto__":1}', '{"\\u005f_protocol":1}'],
  ['a depth of 17', nested(17), nested(16)],
  ['a depth of 17 objects', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`, `${'{"a":'.repeat(16)}1${'}'.repeat(16)}`],
  ['text behind the end', '{} {}', '{} '],
  ['no JSON', '{a:1}', '{"a":1}'],
  ['nothing', '', '0'],
  ['a byte order mark', '\uFEFF{}', '{}'],
])('parseStrictJson: refuses %s, and takes its twin (M24)', (_what, refused, accepted) => {
  expect(() => parseStrictJson(refused)).toThrow('malformed');
  expect(parseStrictJson(accepted)).toEqual(JSON.parse(accepted));
});

test('parseStrictJson: braces, colons and quotes inside strings are no structure', () => {
  const tricky = '{"a":"\\"{[:\\\\","b":"{\\"a\\":1}","c\\"":"}]"}';
  expect(parseStrictJson(tricky)).toEqual(JSON.parse(tricky));
  expect(() => parseStrictJson('{"a":"\\\\","a":1}')).toThrow('malformed');
  expect(Object.getPrototypeOf(parseStrictJson('{"constructor":1}'))).toBe(Object.prototype);
});
