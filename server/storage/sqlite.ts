import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { lockFolder } from './folder-lock.ts';
import { migrate } from './migrate.ts';
import { type CommitSink, NodeSqliteDialect } from './node-sqlite-dialect.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { Schema } from './schema.ts';
import { openSqliteFile } from './sqlite-file.ts';
import { SqliteSpace } from './sqlite-space.ts';
import { ThreadCalls } from './thread-calls.ts';
import { ThreadDialect } from './thread-dialect.ts';
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
    const file = openSqliteFile(path);
    chmodSync(path, 0o600);
    const log = new LogFile(`${path}-wal`);
    const thread = new ThreadCalls(path);
    const writers = new OneAtATime();
    const checkpoints = new WalCheckpoints(thread, (work) => writers.run(work));
    const sync = new WalSync(
      () => log.sync(),
      () => dialect.alone(() => checkpoints.move()),
    );
    const sink: CommitSink = {
      note(pages) {
        sync.note();
        checkpoints.note(pages);
      },
      expect: (commit) => sync.expect(commit),
      settled: () => sync.settled(),
      heal: () => sync.heal(),
      get isSuspect() {
        return sync.isSuspect;
      },
    };
    const dialect = new NodeSqliteDialect(file, sink, writers);
    const db = new Kysely<Schema>({ dialect });
    const aside = new Kysely<Schema>({ dialect: new ThreadDialect(thread, sink, writers) });
    if (options.migrate !== false) await migrate(db, 'sqlite');
    return {
      kind: 'sqlite',
      db,
      space: new StorageSpace(new SqliteSpace(file, path), options),
      write: (work) => db.transaction().execute(work),
      writeAside: (work) => aside.transaction().execute(work),
      read: (work) => db.transaction().setAccessMode('read only').execute(work),
      openClient: null,
      async close() {
        await checkpoints.whenIdle();
        await thread.close();
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
