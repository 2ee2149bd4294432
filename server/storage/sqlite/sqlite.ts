import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { StartError } from '../../../process/start-error.ts';
import type { Database } from '../tables/database.ts';
import { lockFolder } from './folder-lock.ts';
import { migrate } from '../migrations/migrate.ts';
import { type CommitSink, NodeSqliteDialect } from './node-sqlite-dialect.ts';
import { OneAtATime } from '../../../process/one-at-a-time.ts';
import type { Schema } from '../tables/schema.ts';
import { openSqliteFile } from './sqlite-file.ts';
import { SqliteSpace } from './sqlite-space.ts';
import { type TroubleCause, troubleOf } from '../trouble/storage-trouble.ts';
import { ThreadCalls } from './thread-calls.ts';
import { threadDialect } from './thread-dialect.ts';
import { WalCheckpoints } from './wal-checkpoints.ts';
import { LogFile, WalSync } from './wal-sync.ts';
import { type SpaceLimits, StorageSpace } from '../trouble/storage-space.ts';

export const databaseFileName = 'sotto.sqlite';

export type SqliteOptions = SpaceLimits & {
  /** False leaves tables as they are: for whoever only reads. */
  readonly migrate?: boolean;
};

/**
 * Opens the database in a data folder, makes it when there is none, and keeps every other process out.
 *
 * @throws {StartError} when another process has the folder, a newer Sotto wrote it, or its disk is full or broken.
 */
export async function openSqlite(folder: string, options: SqliteOptions = {}): Promise<Database> {
  try {
    return await openLocked(folder, options);
  } catch (error) {
    throw startComplaint(error, folder);
  }
}

async function openLocked(folder: string, options: SqliteOptions): Promise<Database> {
  const lock = lockFolder(folder);
  const path = join(folder, databaseFileName);
  const log = new LogFile(`${path}-wal`);
  const thread = new ThreadCalls(path);
  let opened: DatabaseSync | null = null;
  try {
    const file = (opened = openSqliteFile(path));
    chmodSync(path, 0o600);
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
    const aside = new Kysely<Schema>({ dialect: threadDialect(thread, sink, writers) });
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
    await thread.close().catch(() => undefined);
    log.close();
    opened?.close();
    lock.release();
    throw error;
  }
}

const startTexts: Readonly<Partial<Record<TroubleCause, string>>> = {
  full: 'has no room: free some, or choose another with DATA_DIR.',
  busy: 'is in use: stop the program that has its database open.',
  'read-only': 'cannot be written: choose another with DATA_DIR.',
  'io-error': 'has a disk that does not read or write: look at the disk, or choose another with DATA_DIR.',
  corrupt: `holds a damaged ${databaseFileName}: restore a backup into an empty folder.`,
};

/** Says what a person can mend; else gives the error itself. */
function startComplaint(error: unknown, folder: string): unknown {
  const cause = troubleOf(error);
  const text = cause === null ? undefined : startTexts[cause];
  return text === undefined ? error : new StartError(`The data folder ${resolve(folder)} ${text}`);
}
