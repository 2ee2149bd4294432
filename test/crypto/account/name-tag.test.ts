import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveNameTag, normaliseUserName } from '../../../crypto/account/name-tag.ts';
import { toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

/** Frozen with SPEC.md §3.1: a changed line here is a lost account. */
const normalised: readonly (readonly [string, string])[] = [
  ['ada', 'ada'],
  ['Ada.Lovelace', 'ada.lovelace'],
  ['  ada ', 'ada'],
  ['\u00a0ada\u3000', 'ada'],
  ['ＡＤＡ', 'ada'],
  ['ﬁona', 'fiona'],
  ['A1_b-2.c', 'a1_b-2.c'],
  ['123', '123'],
  ['Zoe\u0308', 'zo\u00eb'],
  ['STRASSE', 'strasse'],
  ['Straße', 'straße'],
  ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
  ['οδυσσευς', 'οδυσσευσ'],
  ['İrem', 'i\u0307rem'],
  ['Иван', 'иван'],
  ['李小龙', '李小龙'],
  ['ｶﾞｶﾞ1', 'ガガ1'],
  ['किशोर', 'किशोर'],
  ['สมชาย', 'สมชาย'],
  ['①②③', '123'],
  ['a'.repeat(64), 'a'.repeat(64)],
  ['𝒜𝒹𝒶', 'ada'],
];

describe('normaliseUserName', () => {
  it.each(normalised)('%j becomes %j', (name, expected) => {
    expect(normaliseUserName(name)).toBe(expected);
    expect(normaliseUserName(expected)).toBe(expected);
  });

  it.each([
    ['too short', 'ab'],
    ['too short once normalised', ' ab '],
    ['65 code points', 'a'.repeat(65)],
    ['long', 'a'.repeat(10_000)],
    ['empty', ''],
    ['a space inside', 'ada lovelace'],
    ['a dot first', '.ada'],
    ['a dot last', 'ada.'],
    ['a hyphen last', 'ada-'],
    ['an underscore first', '_ada'],
    ['a mark first', '\u0301ada'],
    ['an at sign', 'ada@example.org'],
    ['an emoji', 'ada😀'],
    ['a zero-width joiner', 'a\u200dda'],
    ['a zero-width space', 'ada\u200b'],
    ['a right-to-left override', 'ada\u202e'],
    ['a variation selector', 'ada\ufe0f'],
    ['a supplementary variation selector', 'ada\u{e0100}'],
    ['a combining grapheme joiner', 'ad\u034fa'],
    ['a Hangul filler', 'ada\u3164'],
    ['a Khmer inherent vowel', 'ada\u17b4'],
    ['a Mongolian variation selector', 'ada\u180b'],
    ['an enclosing mark', 'ada\u20dd'],
    ['half a surrogate pair', 'ada\ud800'],
    ['a control character', 'ada\u0000'],
    ['a new line', 'ada\n'],
    ['an unassigned code point', 'ada\u0378'],
    ['a private code point', 'ada\ue000'],
    ['punctuation outside the list', "o'hara"],
    ['a currency sign', 'ca$h'],
  ])('refuses %s', (_, name) => {
    expect(refusalOf(() => normaliseUserName(name))).toBe('invalid-user-name');
  });

  it('whatever is accepted is its own normal form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 3, maxLength: 20 }), (name) => {
        const accepted = refusalOf(() => normaliseUserName(name)) === 'accepted';
        const once = accepted ? normaliseUserName(name) : 'abc';
        expect(normaliseUserName(once)).toBe(once);
        expect(once).toBe(once.normalize('NFKC'));
      }),
      { numRuns: 500 },
    );
  });
});

describe('deriveNameTag', () => {
  it('is SHA-256 over the length-prefixed label and name', () => {
    const input = Buffer.concat([
      Buffer.from('0000000d', 'hex'),
      Buffer.from('sotto/v1/name'),
      Buffer.from('00000003', 'hex'),
      Buffer.from('ada'),
    ]);
    expect(toHex(deriveNameTag(' Ada '))).toBe(createHash('sha256').update(input).digest('hex'));
  });

  it('differs between names', () => {
    expect(toHex(deriveNameTag('ada'))).not.toBe(toHex(deriveNameTag('adb')));
  });
});
