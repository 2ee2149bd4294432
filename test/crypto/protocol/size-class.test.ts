import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import {
  maximumContentLength,
  maximumPaddedLength,
  padToSizeClass,
  sizeClassOf,
  unpadSizeClass,
} from '../../../crypto/protocol/bytes/size-class.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import { boundaryLengths } from '../../parts/crypto/tampering.ts';

describe('sizeClassOf', () => {
  it.each([
    [0, 1024],
    [1024, 1024],
    [1025, 4096],
    [4097, 16_384],
    [16_385, 65_536],
    [65_537, 262_144],
    [262_145, 1_048_576],
    [1_048_576, 1_048_576],
    // Padmé: 2^20 has exponent 20, five bits of which count, so 15 bits at the end are zero.
    [1_048_577, 1_081_344],
    [1_081_344, 1_081_344],
    [1_081_345, 1_114_112],
    [2_097_152, 2_097_152],
    [2_097_153, 2_162_688],
    [16_777_215, 16_777_216],
    [16_777_216, 16_777_216],
  ])('%i is padded to %i', (length, size) => {
    expect(sizeClassOf(length)).toBe(size);
  });

  it('refuses more than 16 MiB', () => {
    expect(refusalOf(() => sizeClassOf(maximumPaddedLength + 1))).toBe('too-long');
  });

  it('never shrinks, never falls, is a fixed point, and costs less than 12 % above 1 MiB', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: maximumPaddedLength }),
        fc.integer({ min: 0, max: 1000 }),
        (length, step) => {
          const size = sizeClassOf(length);
          expect(size).toBeGreaterThanOrEqual(length);
          expect(sizeClassOf(size)).toBe(size);
          expect(sizeClassOf(Math.min(length + step, maximumPaddedLength))).toBeGreaterThanOrEqual(size);
          expect(length <= 1_048_576 || size / length < 1.12).toBe(true);
        },
      ),
    );
  });
});

describe('padding', () => {
  it.each(boundaryLengths)('%i bytes come back', (length) => {
    const content = new Uint8Array(length).fill(0xff);
    const padded = padToSizeClass(content);
    expect(padded).toHaveLength(sizeClassOf(length + 4));
    expect(unpadSizeClass(padded).length).toBe(length);
    expect(unpadSizeClass(padded).every((byte) => byte === 0xff)).toBe(true);
  });

  it('the longest content fills 16 MiB; one byte more is refused', () => {
    expect(padToSizeClass(new Uint8Array(maximumContentLength))).toHaveLength(maximumPaddedLength);
    expect(refusalOf(() => padToSizeClass(new Uint8Array(maximumContentLength + 1)))).toBe('too-long');
  });

  const accepted = padToSizeClass(Uint8Array.of(1, 2, 3));
  const changed = (place: number, value: number) => accepted.map((byte, at) => (at === place ? value : byte));

  it('accepts the twin of what is refused below', () => {
    expect(unpadSizeClass(accepted)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each([
    ['empty', new Uint8Array(0)],
    ['shorter than its length field', new Uint8Array(3)],
    ['of no class', accepted.subarray(0, 1023)],
    ['one byte over a class', concat(accepted, new Uint8Array(1))],
    ['of a class larger than needed', concat(accepted, new Uint8Array(3072))],
    ['with a last byte that is not zero', changed(1023, 1)],
    ['with a first padding byte that is not zero', changed(7, 1)],
    ['with a length beyond its end', concat(uint32(1021), accepted.subarray(4))],
    ['with a length of 2^32 - 1', concat(uint32(0xffff_ffff), accepted.subarray(4))],
    ['with a length that leaves content in the padding', changed(3, 2)],
  ])('unpad: refuses bytes %s', (_, bytes) => {
    expect(refusalOf(() => unpadSizeClass(bytes))).toBe('malformed');
  });
});
