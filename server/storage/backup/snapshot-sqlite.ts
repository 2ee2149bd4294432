import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../../../process/start-error.ts';
import type { Database } from '../tables/database.ts';
import { removeOnSignal } from './removed-on-signal.ts';
import { databaseFileName, openSqlite } from '../sqlite/sqlite.ts';
import { troubleOf } from '../trouble/storage-trouble.ts';

/**
 * Opens a copy of the database as it is at this moment, beside a relay that goes on writing.
 *
 * @param besidePath - The copy lies in the folder of this file until `close()`.
 * @throws {StartError} when the data folder has no database.
 */
export async function openSqliteSnapshot(dataFolder: string, besidePath: string): Promise<Database> {
  const original = join(dataFolder, databaseFileName);
  if (!existsSync(original)) {
    throw new StartError(`The data folder ${dataFolder} has no database: set DATA_DIR to the right one.`);
  }
  const folder = await mkdtemp(join(dirname(besidePath), '.sotto-snapshot-')).catch(() => {
    throw new StartError(`${besidePath} cannot be written.`);
  });
  const forget = removeOnSignal(folder);
  const removeCopy = async () => {
    await rm(folder, { recursive: true, force: true });
    forget();
  };
  try {
    const source = new DatabaseSync(original, { readOnly: true, timeout: 10_000 });
    // One read transaction, and only what is alive: deleted pages stay behind.
    source.prepare('VACUUM INTO ?').run(join(folder, databaseFileName));
    source.close();
    const copy = await openSqlite(folder, { migrate: false });
    return {
      ...copy,
      async close() {
        await copy.close();
        await removeCopy();
      },
    };
  } catch (error) {
    await removeCopy();
    if (troubleOf(error) === 'full') {
      throw new StartError(`There is no room beside ${besidePath} for a copy of the database: nothing was written.`);
    }
    throw error;
  }
}
