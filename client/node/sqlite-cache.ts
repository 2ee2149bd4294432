import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { OneAtATime } from '../../process/one-at-a-time.ts';
import { VaultError } from '../vault/failures/vault-error.ts';
import {
  type ChangingRows,
  type CollectionName,
  collectionNames,
  type RowCache,
  withinScope,
} from '../vault/store/cache.ts';
import { SqliteRows, tableOf } from './sqlite-rows.ts';

export type SqliteOptions = {
  /** The most bytes of the file; without one the disk is the bound. */
  readonly maximumBytes?: number;
};

const formatVersion = 1;
const pageBytes = 4096;
/** Another thread holds the file for milliseconds: it is asked again, and nothing of this thread stands still. */
const longestWaitMs = 10_000;
const pauseMs = 5;
const [sqliteBusy, sqliteFull] = [5, 13];

/**
 * The rows of one device in a file of Node's own SQLite, which this user alone may read.
 *
 * A change is on the disk before it is over (WAL, synchronous FULL), and what is deleted is overwritten (secure_delete). No key
 * is kept: after a restart the password opens the vault.
 */
export class SqliteCache implements RowCache {
  readonly #path: string;
  readonly #options: SqliteOptions;
  /** Reads too take their turn: on one connection they would see what a change has not finished. */
  readonly #turns = new OneAtATime();
  #database: DatabaseSync | null = null;
  #isClosed = false;

  constructor(path: string, options: SqliteOptions = {}) {
    this.#path = path;
    this.#options = options;
  }

  open(): Promise<void> {
    return this.#inTurn(async () => undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#database?.close();
    this.#database = null;
  }

  get(collection: CollectionName, key: string): Promise<unknown> {
    return this.#inTurn((database) => patiently(() => new SqliteRows(database).get(collection, key)));
  }

  list(collection: CollectionName, from?: number): Promise<unknown[]> {
    return this.#inTurn((database) => patiently(() => new SqliteRows(database).list(collection, from)));
  }

  write<T>(scope: readonly CollectionName[], work: (rows: ChangingRows) => Promise<T>): Promise<T> {
    return this.#inTurn(async (database) => {
      await patiently(() => database.exec('begin immediate'));
      const rows = new SqliteRows(database);
      try {
        const result = await work(withinScope(scope, rows));
        database.exec('commit');
        // Deleted rows still lie in the log until that is cut.
        if (rows.hasEmptied) database.exec('pragma wal_checkpoint(truncate)');
        return result;
      } catch (error) {
        if (database.isOpen && database.isTransaction) database.exec('rollback');
        throw error;
      }
    });
  }

  #inTurn<T>(run: (database: DatabaseSync) => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      if (this.#isClosed) throw new VaultError('storage-unavailable');
      try {
        this.#database ??= await this.#openUnlessClosed();
        return await run(this.#database);
      } catch (error) {
        throw inCodes(error);
      }
    });
  }

  /** Another thread may hold the file for seconds: who closes meanwhile leaves nothing open behind. */
  async #openUnlessClosed(): Promise<DatabaseSync> {
    const database = await openDatabase(this.#path, this.#options);
    if (!this.#isClosed) return database;
    database.close();
    throw new VaultError('storage-unavailable');
  }
}

async function openDatabase(path: string, { maximumBytes }: SqliteOptions): Promise<DatabaseSync> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made by us: SQLite gives its log the same mode.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    await patiently(() => {
      database.exec(`pragma page_size = ${pageBytes}; pragma journal_mode = wal; pragma synchronous = full;
        pragma secure_delete = on; pragma trusted_schema = off;`);
      if (maximumBytes !== undefined) {
        database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(maximumBytes / pageBytes))}`);
      }
      const { user_version: version } = database.prepare('pragma user_version').get() as { user_version: number };
      // A later build's file is not touched.
      if (version > formatVersion) throw new VaultError('storage-unavailable');
      if (version === formatVersion) return;
      database.exec(`begin immediate; ${collectionNames.map(tableOf).join('')}
        pragma user_version = ${formatVersion}; commit;`);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Again while another connection holds the file. */
async function patiently<T>(run: () => T | Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      return await run();
    } catch (error) {
      if (errcodeOf(error) !== sqliteBusy || waitedMs >= longestWaitMs) throw error;
      await setTimeout(pauseMs);
    }
  }
}

/** The extended codes of SQLite carry the plain one in their last byte. */
function errcodeOf(error: unknown): number | null {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : null;
  return typeof errcode === 'number' ? errcode & 0xff : null;
}

/** The errors of the engine and of the file system in the vault's codes; those of the work stay what they are. */
function inCodes(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof VaultError) return error;
  const code = 'code' in error ? error.code : null;
  if (errcodeOf(error) === sqliteFull || code === 'ENOSPC' || code === 'EDQUOT') {
    return new VaultError('browser-storage-full');
  }
  const isOfStorage = errcodeOf(error) !== null || typeof code === 'string';
  return isOfStorage ? new VaultError('storage-unavailable') : error;
}
