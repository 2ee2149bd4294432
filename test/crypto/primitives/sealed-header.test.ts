import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { decodeSealedHeader, encodeSealedHeader } from '../../../crypto/primitives/sealed-header.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

describe('sealed header', () => {
  it.each([
    [1, '010100000001'],
    [0x0102_0304, '010101020304'],
    [0xffff_ffff, '0101ffffffff'],
  ])('epoch %i', (epoch, hex) => {
    expect(toHex(encodeSealedHeader(epoch))).toBe(hex);
    const { header, epoch: decoded, sealed } = decodeSealedHeader(fromHex(`${hex}aabb`));
    expect([toHex(header), decoded, toHex(sealed)]).toEqual([hex, epoch, 'aabb']);
  });

  it.each([
    ['', 'malformed'],
    ['0101000000', 'malformed'],
    ['010100000000', 'malformed'],
    ['000100000001', 'unsupported-version'],
    ['020100000001', 'unsupported-version'],
    ['010000000001', 'unsupported-suite'],
    ['010200000001', 'unsupported-suite'],
  ])('decode refuses %j', (hex, code) => {
    expect(refusalOf(() => decodeSealedHeader(fromHex(hex)))).toBe(code);
  });

  it.each([0, -1, 1.5, 2 ** 32])('encode refuses epoch %d', (epoch) => {
    expect(refusalOf(() => encodeSealedHeader(epoch))).toBe('invalid-argument');
  });
});
