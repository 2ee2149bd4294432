import { expect, test } from 'vitest';
import {
  decodeEntryBundle,
  decodeTile,
  encodeEntryBundle,
  parseTilePath,
  tilePath,
} from '../../../../crypto/evidence/modal/log-tiles.ts';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';

test.each([
  ['/tile/0/000', { level: 0, place: 0, width: 256 }],
  ['/tile/entries/000.p/1', { level: 'entries', place: 0, width: 1 }],
  ['/tile/0/x001/x234/067', { level: 0, place: 1_234_067, width: 256 }],
  ['/tile/63/x001/000.p/255', { level: 63, place: 1000, width: 255 }],
  ['/tile/10/999', { level: 10, place: 999, width: 256 }],
  ['/tile/19/999', { level: 19, place: 999, width: 256 }],
] as const)('parseTilePath, tilePath: %s, both ways', (path, tile) => {
  expect(parseTilePath(path)).toEqual(tile);
  expect(tilePath(tile)).toBe(path);
});

test.each([
  '/tile/00/000',
  '/tile/64/000',
  '/tile/-1/000',
  '/tile/0/0',
  '/tile/0/0000',
  '/tile/0/x000/000',
  '/tile/0/001/000',
  '/tile/0/x001',
  '/tile/0/000.p/0',
  '/tile/0/000.p/256',
  '/tile/0/000.p/01',
  '/tile/0/000.p/',
  '/tile/0/000/',
  '/tile/0/000?x',
  '/tile/data/000',
  '/tile/0/../0/000',
  '/tile//000',
  `/tile/0/${'x001/'.repeat(20)}000`,
])('parseTilePath: %s is none', (path) => {
  expect(parseTilePath(path)).toBeNull();
});

test('encodeEntryBundle: each entry stands behind its length, and is read again', () => {
  const entries = [Uint8Array.of(97), new Uint8Array(300).fill(7), new Uint8Array(0), randomBytes(65_535)];
  const bundle = encodeEntryBundle(entries);
  expect([...bundle.subarray(0, 6)]).toEqual([0, 1, 97, 1, 44, 7]);
  expect(decodeEntryBundle(bundle)).toEqual(entries);
  expect(decodeEntryBundle(new Uint8Array(0))).toEqual([]);
});

test('encodeEntryBundle: an entry that its length cannot say is refused', () => {
  expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow('too-long');
});

test('decodeEntryBundle: a bundle that is cut anywhere within an entry is none', () => {
  const bundle = encodeEntryBundle([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
  const whole = [0, 5, 8];
  for (let length = 0; length <= bundle.length; length++) {
    expect(decodeEntryBundle(bundle.subarray(0, length)) !== null).toBe(whole.includes(length));
  }
});

test('decodeTile: hashes of 32 bytes, and no piece of one', () => {
  const tile = randomBytes(96);
  expect(decodeTile(tile)).toEqual([tile.slice(0, 32), tile.slice(32, 64), tile.slice(64)]);
  expect(decodeTile(new Uint8Array(0))).toEqual([]);
  expect([decodeTile(tile.subarray(1)), decodeTile(randomBytes(97))]).toEqual([null, null]);
});
