import { DatabaseSync } from 'node:sqlite';

/**
 * Opens a connection to the database's file, as the event loop and the storage thread both need it.
 *
 * NORMAL, and no checkpoint by itself: syncs and checkpoints go on beside the event loop, and an acknowledged write waits for
 * its sync all the same. FAST: deleted ciphertext is overwritten where that costs no extra write.
 */
export function openSqliteFile(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5_000 });
  file.exec(`
    pragma journal_mode = wal;
    pragma synchronous = normal;
    pragma wal_autocheckpoint = 0;
    pragma secure_delete = fast;
    pragma temp_store = memory;
    pragma journal_size_limit = 67108864;
  `);
  return file;
}
