import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Read at once; a text that lies across two pieces is in both. */
const pieceLength = 256 * 1024;
const overlap = 4096;
/** Memory that was promised to a process and never touched reads so; most of it is. */
const untouched = Buffer.alloc(pieceLength);

/**
 * Reads what a process holds in memory that it may write to, V8's heap and the bytes of Buffers alike, in pieces.
 *
 * @returns null where the system does not show it: anywhere but on Linux, or to no one but root.
 */
export function readProcessMemory(pid: number): Generator<Buffer> | null {
  try {
    const memory = openSync(`/proc/${pid}/mem`, 'r');
    return readPieces(memory, writableRegions(readFileSync(`/proc/${pid}/maps`, 'utf8')));
  } catch {
    return null;
  }
}

type Region = { readonly start: number; readonly end: number };

function writableRegions(maps: string): Region[] {
  return maps.split('\n').flatMap((line) => {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    return start === undefined || end === undefined
      ? []
      : [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }];
  });
}

function* readPieces(memory: number, regions: readonly Region[]): Generator<Buffer> {
  const piece = Buffer.alloc(pieceLength);
  try {
    for (const { start, end } of regions) {
      for (let at = start; at < end; at += pieceLength - overlap) {
        const length = readPiece(memory, piece, at, Math.min(pieceLength, end - at));
        const read = piece.subarray(0, length);
        if (!read.equals(untouched.subarray(0, length))) yield read;
      }
    }
  } finally {
    closeSync(memory);
  }
}

/** 0 for what is gone by now: the process goes on while it is read. */
function readPiece(memory: number, piece: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, piece, 0, length, at);
  } catch {
    return 0;
  }
}
