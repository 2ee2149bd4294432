import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { PackedTiles } from '../../../registrar/http/packed-tiles.ts';

const bundle = (seed: number) => Uint8Array.from({ length: 20_000 }, (_, index) => (index * seed) % 251);

test('a bundle is packed once, however many ask for it, at once or later', async () => {
  const tiles = new PackedTiles();
  const asked = await Promise.all(Array.from({ length: 20 }, () => tiles.find('/tile/entries/000', bundle(3))));
  expect(gunzipSync(asked[0]!)).toEqual(Buffer.from(bundle(3)));
  // The very same bytes, not equal ones.
  expect(new Set([...asked, await tiles.find('/tile/entries/000', bundle(3))]).size).toBe(1);
  expect(gunzipSync(await tiles.find('/tile/entries/001', bundle(5)))).toEqual(Buffer.from(bundle(5)));
});

test('the longest unused bundle goes when there are more than may be kept', async () => {
  const { length } = await new PackedTiles().find('a', bundle(3));
  const tiles = new PackedTiles(length * 2.5);
  const [first, second] = [await tiles.find('a', bundle(3)), await tiles.find('b', bundle(3))];
  expect(await tiles.find('a', bundle(3))).toBe(first);
  await tiles.find('c', bundle(3));
  expect(await tiles.find('a', bundle(3))).toBe(first);
  expect(await tiles.find('b', bundle(3))).not.toBe(second);
});
