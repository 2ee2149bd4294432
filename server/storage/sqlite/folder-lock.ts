import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../../../process/start-error.ts';

/** A data folder that belongs to this process until `release()`, or until the process is gone. */
export interface FolderLock {
  release(): void;
}

const sqliteBusy = 5;
const sqliteNotADatabase = 26;

/**
 * Holds a lock on a small SQLite file for as long as the process lives: the kernel lets go of it even after `kill -9`.
 *
 * The database itself stays readable for others, so an auditor can look at it while the relay runs.
 *
 * @throws {StartError} when another process holds it.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock.sqlite');
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('begin exclusive');
    // A user who may open it may hold it, and keep the relay from starting.
    chmodSync(path, 0o600);
  } catch (error) {
    file.close();
    const { errcode } = error as { errcode?: unknown };
    if (errcode === sqliteNotADatabase) {
      throw new StartError(`The file ${resolve(path)} is damaged, and holds nothing: delete it and start again.`);
    }
    if (errcode !== sqliteBusy) throw error;
    throw new StartError(
      `Sotto is already running on the data folder ${resolve(folder)}: stop it first, or choose another with DATA_DIR.`,
    );
  }
  return { release: () => file.close() };
}
