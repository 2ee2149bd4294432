/** One look at the database and its disk finds this. */
export type SpaceReading = {
  /** The size of the database, without what lies free inside it. */
  readonly usedBytes: number;
  /** Lies free inside the database: what was deleted, and is filled again before it grows. */
  readonly reusableBytes: number;
  /** Null where the disk is another machine's. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
};

export interface SpaceGauge {
  /** The reading of now, or of the last `refresh()` where looking takes a while; null before the first. */
  read(): SpaceReading | null;
  refresh(): Promise<void>;
}

export type SpaceLimits = {
  /** Bytes of the disk that only sessions, sign-in, deletion and running turns may use; null: by the size of the disk. */
  readonly diskReserveBytes?: number | null;
  /** The most that the whole database may take; null: no such limit. */
  readonly storageLimitBytes?: number | null;
};

/** - `low`: an operator should look; - `spent`: nothing may grow, and what is there goes on. */
export type SpaceLevel = 'ample' | 'low' | 'spent';

const mebibyte = 2 ** 20;
/** With less than this to the reserve hardly anything can grow. */
const smallestGrowth = 65_536;
/** Frames come by the thousand: they are judged by a look this old. */
const framesJudgedForMs = 200;

/** A hundredth of the disk, but no less than a burst of frames and the write-ahead log take, and no more than a gibibyte. */
export function usualReserve(diskBytes: number): number {
  return Math.min(Math.max(diskBytes / 100, 64 * mebibyte), 1024 * mebibyte, diskBytes / 4);
}

/** Refuses to let something grow, although the database itself would still take it. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
  readonly code = 'storage-full';
  readonly retryAfterSeconds = 60;

  constructor() {
    super('Nothing may grow until something is deleted.');
  }
}

/** The rest of something that can run out. `free` is left of it on the disk, `inside` lies free in the database. */
type Room = { readonly free: number; readonly inside: number; readonly reserve: number };

/**
 * Keeps the last of the room for those who are there already. Growth (items, turns, accounts) is refused first, then the frames
 * of running turns wait. Sessions, sign-in and deletion have the rest.
 */
export class StorageSpace {
  readonly #gauge: SpaceGauge;
  readonly #limits: SpaceLimits;
  /** The bytes that were granted since the last look. */
  #granted = 0;
  #level: SpaceLevel = 'ample';
  #onLevel: (level: SpaceLevel) => void = () => undefined;
  #frames = { haveRoom: true, untilMs: -Infinity };

  constructor(gauge: SpaceGauge, limits: SpaceLimits) {
    this.#gauge = gauge;
    this.#limits = limits;
  }

  /** @param onLevel - Told once of each change, and of a level that is not ample now. */
  watch(onLevel: (level: SpaceLevel) => void): void {
    this.#judge();
    this.#onLevel = onLevel;
    if (this.#level !== 'ample') onLevel(this.#level);
  }

  get level(): SpaceLevel {
    this.#judge();
    return this.#level;
  }

  /** Looks again; somebody calls it from time to time. */
  async refresh(): Promise<void> {
    // Without a limit nobody asks for more than the disk says at once.
    if ((this.#limits.storageLimitBytes ?? null) !== null) await this.#gauge.refresh();
    this.#granted = 0;
    this.#judge();
  }

  /**
   * Asks for room before something grows, within the transaction where there is one.
   *
   * @throws {StorageFull} when the reserve would be touched.
   */
  requireRoom(bytes: number): void {
    this.#judge();
    for (const { free, inside, reserve } of this.#rooms()) {
      // It goes to the write-ahead log first, also where it fills what lies free in the database afterwards.
      const grown = Math.max(0, bytes - inside);
      const isSpent = free + inside - bytes < reserve || free - grown - bytes < reserve / 2;
      if (isSpent) throw new StorageFull();
    }
    this.#granted += bytes;
  }

  /** True while frames of running turns may be written: they use the first half of the reserve. */
  get hasRoomForFrames(): boolean {
    const nowMs = performance.now();
    if (nowMs >= this.#frames.untilMs) {
      const haveRoom = this.#rooms().every(
        (room) => room.free + room.inside >= room.reserve / 2 && room.free >= room.reserve / 4,
      );
      this.#frames = { haveRoom, untilMs: nowMs + framesJudgedForMs };
    }
    return this.#frames.haveRoom;
  }

  #rooms(): Room[] {
    const reading = this.#gauge.read();
    if (reading === null) return [];
    const { disk, reusableBytes, usedBytes } = reading;
    const rooms: Room[] = [];
    if (disk !== null) {
      const reserve = this.#limits.diskReserveBytes ?? usualReserve(disk.totalBytes);
      if (reserve > 0) rooms.push({ free: disk.freeBytes, inside: reusableBytes, reserve });
    }
    const limit = this.#limits.storageLimitBytes ?? null;
    if (limit !== null) rooms.push({ free: limit - usedBytes - this.#granted, inside: 0, reserve: limit / 20 });
    return rooms;
  }

  #judge(): void {
    const left = Math.min(
      ...this.#rooms().map(({ free, inside, reserve }) => (free + inside - smallestGrowth) / reserve),
    );
    const level = levelAt(left, this.#level);
    if (level === this.#level) return;
    this.#level = level;
    this.#onLevel(level);
  }
}

/**
 * @param left - A multiple of the reserve. It has to be a tenth more than what it fell below, so that no line is crossed to and
 * fro.
 */
function levelAt(left: number, before: SpaceLevel): SpaceLevel {
  if (left < (before === 'spent' ? 1.1 : 1)) return 'spent';
  return left < (before === 'ample' ? 2 : 2.2) ? 'low' : 'ample';
}
