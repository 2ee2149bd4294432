import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBytes, encodeBytes } from '../../../../server/api/route/wire-bytes.ts';

test('decodeBytes: takes back what was encoded, whatever the length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(Buffer.from(decodeBytes(encodeBytes(bytes))).equals(bytes)).toBe(true);
    }),
  );
});

test('decodeBytes: refuses every other spelling of the same bytes', () => {
  const alphabet = fc.constantFrom(...Buffer.from('ABgwQZaz09-_+/= \n.é', 'latin1').toString('latin1').split(''));
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 9 }), (characters) => {
      const text = characters.join('');
      const isOneSpelling = Buffer.from(text, 'base64url').toString('base64url') === text;
      let isTaken = true;
      try {
        decodeBytes(text);
      } catch {
        isTaken = false;
      }
      expect([text, isTaken]).toEqual([text, isOneSpelling]);
    }),
    { numRuns: 20_000 },
  );
  for (const refused of ['A', 'AB', 'AAB', 'AA==', '+A', '/w', 'AAAAA', 'AA AA', 'AAA=AAAA']) {
    expect(() => decodeBytes(refused), refused).toThrow('bad-request');
  }
  for (const taken of ['', 'AA', 'AAA', 'AAAA', '-w', '_w']) expect(encodeBytes(decodeBytes(taken))).toBe(taken);
});
