import { encodeEntryBundle, type TilePath, tileWidth, widthAt } from '../../crypto/evidence/modal/log-tiles.ts';
import { type Bytes, concat } from '../../crypto/protocol/bytes/bytes.ts';
import type { LogTree } from './log-tree.ts';

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
  return encodeEntryBundle(tree.entries(start, tile.width));
}
