import { tileWidth } from './log-tree.ts';

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
