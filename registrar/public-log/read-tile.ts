import { type Bytes, concat } from '../../crypto/protocol/bytes/bytes.ts';
import { type LogTree, tileWidth } from './log-tree.ts';
import { type TilePath, widthAt } from './tile-path.ts';

/**
 * The bytes of a tile or a bundle (C2SP tlog-tiles).
 *
 * @param publishedSize - Entries beyond it are not there yet.
 * @returns null where there is none.
 */
export function readTile(tree: LogTree, tile: TilePath, publishedSize: number): Bytes | null {
  if (tile.width > widthAt(publishedSize, tile)) return null;
  const start = tile.place * tileWidth;
  if (tile.level !== 'entries') return concat(...tree.hashes(tile.level, start, tile.width));
  return concat(...tree.entries(start, tile.width).flatMap((entry) => [uint16(entry.length), entry]));
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}
