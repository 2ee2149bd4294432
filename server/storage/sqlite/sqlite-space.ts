import { statfsSync, statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SpaceGauge, SpaceReading } from '../trouble/storage-space.ts';

/** Reads an SQLite file and its file system; some microseconds, so that each write can be judged by what is there now. */
export class SqliteSpace implements SpaceGauge {
  readonly #path: string;
  readonly #pageSize: number;
  readonly #pages: StatementSync;
  readonly #freePages: StatementSync;
  #latest: SpaceReading | null = null;

  constructor(file: DatabaseSync, path: string) {
    this.#path = path;
    this.#pages = file.prepare('pragma page_count');
    this.#freePages = file.prepare('pragma freelist_count');
    this.#pageSize = numberOf(file.prepare('pragma page_size'));
  }

  /** A write of frames or items itself tells that the disk is gone. */
  read(): SpaceReading | null {
    try {
      this.#latest = this.#look();
    } catch {
      // The reading stays as it was.
    }
    return this.#latest;
  }

  async refresh(): Promise<void> {}

  #look(): SpaceReading {
    const bytes = numberOf(this.#pages) * this.#pageSize;
    const reusableBytes = numberOf(this.#freePages) * this.#pageSize;
    const { bavail, blocks, bsize } = statfsSync(this.#path);
    // The file grows at the next checkpoint by what is still in the write-ahead log alone.
    const unwritten = Math.max(0, bytes - statSync(this.#path).size);
    const disk = { freeBytes: bavail * bsize - unwritten, totalBytes: blocks * bsize };
    return { usedBytes: bytes - reusableBytes, reusableBytes, disk };
  }
}

function numberOf(statement: StatementSync): number {
  const [value] = Object.values(statement.get() ?? {});
  if (typeof value !== 'number') throw new Error('SQLite does not say its size.');
  return value;
}
