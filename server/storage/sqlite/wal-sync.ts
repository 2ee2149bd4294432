import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { StorageTrouble } from '../trouble/storage-trouble.ts';

const dataSync = promisify(fdatasync);

/** The one thing that can be done again: making what was written so far durable. */
type Sync = () => Promise<void>;

/**
 * Group commit: everybody who wrote waits for a sync of the write-ahead log that began after their commit, and one sync
 * serves all who came before it. It runs beside the event loop, where SQLite's own would stop everybody.
 */
export class WalSync {
  readonly #sync: Sync;
  readonly #rescue: Sync;
  /** Commits so far, and how many of them are on the disk. */
  #written = 0;
  #durable = 0;
  #running: Promise<void> | null = null;
  #committing: Promise<unknown> | null = null;
  #isSuspect = false;

  /**
   * @param sync - fdatasync of the log.
   * @param rescue - Moves the log into the database and syncs that: after a sync that failed, the system may count pages of
   *   the log as written that are not, so that no later sync of the log proves anything.
   */
  constructor(sync: Sync, rescue: Sync) {
    this.#sync = sync;
    this.#rescue = rescue;
  }

  /** The last sync failed: what is committed may be lost with the machine, and nothing more should be. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  /** Tries to make durable what is not, after a sync that failed. Never throws. */
  async heal(): Promise<void> {
    if (this.#isSuspect) await this.settled().catch(() => undefined);
  }

  /** Something was committed. */
  note(): void {
    this.#written += 1;
  }

  /** Another thread commits: what it wrote may be read before its commit is noted, and only then syncs count for it. */
  expect(commit: Promise<unknown>): void {
    const committing = commit
      .catch(() => undefined)
      .finally(() => {
        if (this.#committing === committing) this.#committing = null;
      });
    this.#committing = committing;
  }

  /**
   * Resolves when everything that is committed now is on the disk: also what others wrote, since whoever calls may have
   * read it.
   *
   * @throws the system's error when it could not be made durable; the next caller tries again.
   */
  async settled(): Promise<void> {
    if (this.#committing !== null) await this.#committing;
    const target = this.#written;
    while (this.#durable < target) {
      if (this.#running !== null) {
        await this.#running.catch(() => undefined);
        // It may have begun before the commit; then the next one serves.
        if (this.#durable >= target) return;
      }
      this.#running ??= this.#run().finally(() => (this.#running = null));
      await this.#running;
    }
  }

  async #run(): Promise<void> {
    const target = this.#written;
    try {
      await (this.#isSuspect ? this.#rescue() : this.#sync());
      this.#isSuspect = false;
      this.#durable = target;
    } catch (error) {
      this.#isSuspect = true;
      throw error;
    }
  }
}

/** SQLite's write-ahead log as a file, for its syncs alone. */
export class LogFile {
  readonly #path: string;
  #handle: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** The file is there since the first commit, and the same one as long as the database is open. */
  async sync(): Promise<void> {
    try {
      this.#handle ??= openSync(this.#path, 'r+');
      await dataSync(this.#handle);
    } catch (error) {
      throw new StorageTrouble('io-error', 'The log could not be synced.', error);
    }
  }

  close(): void {
    if (this.#handle !== null) closeSync(this.#handle);
    this.#handle = null;
  }
}
