import { type Bytes, concat } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles). */
export const tileWidth = 256;
const hashLength = 32;
const entryLengthLength = 2;
const maximumEntryLength = 65_535;
export const maximumTileLength = tileWidth * hashLength;
export const maximumBundleLength = tileWidth * (entryLengthLength + maximumEntryLength);

/** A tile, or a bundle of entries, as its path names it (C2SP tlog-tiles). */
export type TilePath = {
  readonly level: number | 'entries';
  readonly place: number;
  /** 256 for a full one. */
  readonly width: number;
};

const form = /^\/tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** @returns null for anything that `tilePath` would not have written. */
export function parseTilePath(path: string): TilePath | null {
  const [, level, place, width] = (path.length < 64 ? form.exec(path) : null) ?? [];
  if (level === undefined || place === undefined) return null;
  const tile: TilePath = {
    level: level === 'entries' ? level : Number(level),
    place: Number(place.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  };
  // A zero too many, or a partial tile as wide as a full one.
  return tilePath(tile) === path ? tile : null;
}

export function tilePath({ level, place, width }: TilePath): string {
  const groups = [String(place % 1000).padStart(3, '0')];
  for (let rest = Math.floor(place / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  }
  return `/tile/${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** How many hashes (or entries) the tree of this size has in a tile; 0 for none. */
export function widthAt(size: number, { level, place }: Omit<TilePath, 'width'>): number {
  const count = Math.floor(size / tileWidth ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(tileWidth, count - place * tileWidth));
}

/** @returns the hashes of a tile, or null for a piece of one at the end. */
export function decodeTile(tile: Uint8Array): readonly Bytes[] | null {
  if (tile.length % hashLength !== 0) return null;
  return Array.from({ length: tile.length / hashLength }, (_, index) =>
    tile.slice(index * hashLength, (index + 1) * hashLength),
  );
}

/** Writes each entry behind its length (2, big-endian). */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Bytes {
  return concat(
    ...entries.flatMap((entry) => {
      if (entry.length > maximumEntryLength) throw new CryptoError('too-long');
      return [Uint8Array.of(entry.length >> 8, entry.length & 255), entry];
    }),
  );
}

/** @returns the entries of a bundle, or null for one that is cut off. */
export function decodeEntryBundle(bundle: Uint8Array): readonly Bytes[] | null {
  const entries: Bytes[] = [];
  let offset = 0;
  while (offset < bundle.length) {
    const start = offset + entryLengthLength;
    offset = start + (((bundle[offset] ?? 0) << 8) | (bundle[offset + 1] ?? 0));
    if (start > bundle.length || offset > bundle.length) return null;
    entries.push(bundle.slice(start, offset));
  }
  return entries;
}
