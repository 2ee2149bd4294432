import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { lockFolder } from './folder-lock.ts';
import { migrate } from './migrate.ts';
import { NodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Schema } from './schema.ts';
import { SqliteSpace } from './sqlite-space.ts';
import { WalCheckpoints } from './wal-checkpoints.ts';
import { LogFile, WalSync } from './wal-sync.ts';
import { type SpaceLimits, StorageSpace } from './storage-space.ts';

export const databaseFileName = 'sotto.sqlite';

export type SqliteOptions = SpaceLimits & {
  /** False leaves tables as they are: for whoever only reads. */
  readonly migrate?: boolean;
};

/**
 * Opens the database in a data folder, makes it when there is none, and keeps every other process out.
 *
 * @throws {StartError} when another process has the folder, or a newer Sotto wrote it.
 */
export async function openSqlite(folder: string, options: SqliteOptions = {}): Promise<Database> {
  const lock = lockFolder(folder);
  try {
    const path = join(folder, databaseFileName);
    const file = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5_000 });
    chmodSync(path, 0o600);
    // NORMAL, and no checkpoint by itself: syncs and checkpoints go on beside the event loop, and an acknowledged write waits
    // for its sync all the same. FAST: deleted ciphertext is overwritten where that costs no extra write.
    file.exec(`
      pragma journal_mode = wal;
      pragma synchronous = normal;
      pragma wal_autocheckpoint = 0;
      pragma secure_delete = fast;
      pragma temp_store = memory;
      pragma journal_size_limit = 67108864;
    `);
    const log = new LogFile(`${path}-wal`);
    const checkpoints = new WalCheckpoints(path, (work) => dialect.alone(work));
    const sync = new WalSync(
      () => log.sync(),
      () => checkpoints.moveAll(),
    );
    const dialect: NodeSqliteDialect = new NodeSqliteDialect(file, {
      note(pages) {
        sync.note();
        checkpoints.note(pages);
      },
      settled: () => sync.settled(),
      heal: () => sync.heal(),
      get isSuspect() {
        return sync.isSuspect;
      },
    });
    const db = new Kysely<Schema>({ dialect });
    if (options.migrate !== false) await migrate(db, 'sqlite');
    return {
      kind: 'sqlite',
      db,
      space: new StorageSpace(new SqliteSpace(file, path), options),
      write: (work) => db.transaction().execute(work),
      read: (work) => db.transaction().execute(work),
      openClient: null,
      async close() {
        await checkpoints.close();
        await db.destroy();
        log.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
