import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../crypto/protocol/bytes/bytes.ts';
import { type JsonBudget, looseJsonBudget } from '../../../crypto/protocol/json/json-budget.ts';
import { JsonScanner } from '../../../crypto/protocol/json/json-scanner.ts';
import { parseStrictJson } from '../../../crypto/protocol/json/strict-json.ts';

const parse = (text: string, budget: JsonBudget = looseJsonBudget) => parseStrictJson(encodeUtf8(text), budget);
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
      // Half a surrogate pair in a text has no bytes.
      expect(parse(text)).toEqual(JSON.parse(text.toWellFormed()));
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
  ['a comma too many', '[1,]', '[1]'],
  ['a comma too many in an object', '{"a":1,}', '{"a":1}'],
  ['a comma too few', '[1 2]', '[1,2]'],
  ['a colon too few', '{"a" 1}', '{"a":1}'],
  ['a key without a value', '{"a"}', '{"a":null}'],
  ['a key that is no text', '{1:1}', '{"1":1}'],
  ['the other bracket', '[1}', '[1]'],
  ['a bracket that is not closed', '[[1]', '[[1]]'],
  ['a bracket that was not opened', '1]', '1'],
  ['a text that does not end', '"a\\"', '"a\\\\"'],
  ['a word that is none', '[trve]', '[true]'],
  ['a number of many digits', `[${'1'.repeat(33)}]`, `[${'1'.repeat(32)}]`],
  ['much white space', `${' '.repeat(262_145)}1`, `${' '.repeat(262_144)}1`],
])('parseStrictJson: refuses %s, and takes its twin (M24)', (_what, refused, accepted) => {
  expect(() => parse(refused)).toThrow('malformed');
  expect(parse(accepted)).toEqual(JSON.parse(accepted));
});

test('parseStrictJson: braces, colons and quotes inside strings are no structure', () => {
  const tricky = '{"a":"\\"{[:\\\\","b":"{\\"a\\":1}","c\\"":"}]"}';
  expect(parse(tricky)).toEqual(JSON.parse(tricky));
  expect(() => parse('{"a":"\\\\","a":1}')).toThrow('malformed');
  expect(Object.getPrototypeOf(parse('{"constructor":1}'))).toBe(Object.prototype);
});

const small: JsonBudget = { depth: 2, values: 5, keyLength: 3, textLength: 4 };

test.each([
  ['deeper', '[[[]]]', '[[1]]'],
  ['with more values', '[1,2,3,4,5]', '[1,2,3,4]'],
  ['with more members', '{"a":1,"b":2,"c":3,"d":4,"e":5}', '{"a":1,"b":2,"c":3,"d":4}'],
  ['with more empty lists', '[[],[],[],[],[]]', '[[],[],[],[]]'],
  ['with a longer key', '{"keys":1}', '{"key":1}'],
  ['with a longer key in another spelling', '{"\\u006bey\\u0073":1}', '{"\\u006b\\u0065\\u0079":1}'],
  ['with a longer text', `["${'x'.repeat(25)}"]`, '["\\u0061\\u0062\\u0063\\u0064"]'],
])('parseStrictJson: refuses what is %s than the budget, and takes its twin', (_what, refused, accepted) => {
  expect(() => parse(refused, small)).toThrow('malformed');
  expect(parse(accepted, small)).toEqual(JSON.parse(accepted));
});

test('parseStrictJson: refuses bytes that are no UTF-8, in a key and in a text', () => {
  const bytes = (text: string, byte: number) => encodeUtf8(text).map((one) => (one === 0x23 ? byte : one));
  for (const text of ['{"#":1}', '{"a":"#"}']) {
    expect(() => parseStrictJson(bytes(text, 0xff), looseJsonBudget)).toThrow('malformed');
    expect(parseStrictJson(bytes(text, 0x62), looseJsonBudget)).toEqual(JSON.parse(text.replace('#', 'b')));
  }
});

/** True if a scanner lets a text pass that comes in pieces cut at these places. */
function passes(bytes: Uint8Array, cuts: readonly number[]): boolean {
  const scanner = new JsonScanner(looseJsonBudget);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  try {
    for (const [index, place] of places.entries()) scanner.push(bytes.subarray(places[index - 1] ?? 0, place));
    scanner.end();
    return true;
  } catch {
    return false;
  }
}

/** True if it is JSON, and no key stands in an object twice: then fewer members would be left than were written. */
function hasOneMeaning(text: string): boolean {
  let kept = 0;
  try {
    JSON.parse(text, (key, member: unknown) => {
      if (key !== '' && !/^\d+$/.test(key)) kept += 1;
      return member;
    });
  } catch {
    return false;
  }
  return kept === (text.match(/:/g) ?? []).length;
}

test('JsonScanner: says the same of a text however it is cut, and never refuses what JSON.parse reads with one meaning', () => {
  const token = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ':',
    ',',
    '"',
    '\\',
    ' ',
    '"a"',
    '"b\\""',
    '"\\\\"',
    '1',
    'true',
    '\\u0061',
    'é',
    '"é"',
    '{"a":1}',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 6 }), (tokens, cuts) => {
      const bytes = encodeUtf8(tokens.join(''));
      const whole = passes(bytes, []);
      expect(passes(bytes, cuts)).toBe(whole);
      expect(passes(bytes, [...bytes.keys()])).toBe(whole);
      expect(whole || !hasOneMeaning(tokens.join(''))).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

const mebibyte = 1024 * 1024;
const distinctKeys = (length: number) => {
  const keys: string[] = [];
  for (let size = 0; size < length; size += 14) keys.push(`"${keys.length.toString(36).padStart(8, '0')}":1`);
  return `{${keys.join(',')}}`;
};

test.each([
  ['keys that all differ', distinctKeys(4 * mebibyte)],
  ['one bracket after the other', '['.repeat(4 * mebibyte)],
  ['many small lists', `[${'[],'.repeat(mebibyte)}[]]`],
  ['many small objects', `[${'{"a":1},'.repeat(mebibyte / 2)}1]`],
  ['many short texts', `[${'"",'.repeat(mebibyte)}1]`],
  ['many numbers', `[${'1,'.repeat(2 * mebibyte)}1]`],
  ['one number of many digits', '1'.repeat(4 * mebibyte)],
  ['white space', ' '.repeat(4 * mebibyte)],
  ['a long key of escapes', `{"${'\\u0061'.repeat(mebibyte)}":1}`],
  ['a long key', `{"${'k'.repeat(4 * mebibyte)}":1}`],
  ['commas', `[${','.repeat(4 * mebibyte)}]`],
])('JsonScanner: %s end where the budget does, long before the text', (_what, text) => {
  const bytes = encodeUtf8(text);
  const scanner = new JsonScanner({ ...looseJsonBudget, values: 1_000, textLength: 4 * mebibyte });
  let taken = 0;
  expect(() => {
    for (; taken < bytes.length; taken += 4_096) scanner.push(bytes.subarray(taken, taken + 4_096));
  }).toThrow('malformed');
  // White space is the one thing of which there is much for free.
  expect(taken).toBeLessThan(300_000);
});

test.each([
  ['backslashes', (length: number) => '\\'.repeat(length)],
  ['escaped quotes', (length: number) => '\\"'.repeat(length / 2)],
  ['plain characters', (length: number) => 'a'.repeat(length)],
])('parseStrictJson: a text of %s takes time in proportion to its length', (_what, fill) => {
  const budget = { ...looseJsonBudget, textLength: 8 * mebibyte };
  const shortestOf = (length: number) => {
    const bytes = encodeUtf8(`"${fill(length)}"`);
    const times = [1, 2, 3].map(() => {
      const startedAtMs = performance.now();
      expect(parseStrictJson(bytes, budget)).toHaveLength(fill(length).startsWith('\\') ? length / 2 : length);
      return performance.now() - startedAtMs;
    });
    return Math.min(...times);
  };
  // The square of the time would be 1,024 times as long.
  expect(shortestOf(8 * mebibyte)).toBeLessThan(200 * shortestOf(mebibyte / 4) + 50);
});
