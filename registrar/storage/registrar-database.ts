import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { StartError } from '../../process/start-error.ts';

type Row = Record<string, SQLOutputValue>;

const sqliteBusy = 5;

/** Registrations and the public log in one file, so that one transaction covers both. */
const schema = `
  create table if not exists registrar (name text primary key, value text not null) strict;
  create table if not exists log_entry (place integer primary key, body blob not null) strict;
  -- Height 0: leaf hashes. Height n: roots of whole subtrees of 2^n leaves.
  create table if not exists node_hash (
    height integer not null, place integer not null, hash blob not null, primary key (height, place)
  ) strict, without rowid;
  -- One root for a size, for ever: the primary key is the promise that the log does not fork.
  create table if not exists checkpoint (size integer primary key, note text not null) strict;
  create table if not exists used_token (hash blob primary key, forget_after_ms integer not null) strict, without rowid;
  create table if not exists registration (
    identity_public_key blob primary key, workspace_id text not null, environment_id text not null, app_id text not null,
    function_id text not null, container_id text not null, renewable_until_ms integer not null
  ) strict, without rowid;
  create index if not exists registration_of_container on registration (container_id);
`;

/** The registrar's one file. A finished transaction is on the disk. */
export class RegistrarDatabase {
  readonly #file: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(file: DatabaseSync) {
    this.#file = file;
  }

  /**
   * Opens the file, which nobody else can until this process is gone.
   *
   * @throws {StartError} when another process has it, or when it belongs to another log.
   */
  static open(
    folder: string,
    log: { readonly origin: string; readonly publicKey: Uint8Array; readonly statementPublicKey: Uint8Array },
  ): RegistrarDatabase {
    mkdirSync(folder, { recursive: true });
    const file = new DatabaseSync(join(folder, 'registrar.sqlite'), { timeout: 0 });
    try {
      // Every commit waits for the disk; the lock goes with the process, even after kill -9.
      file.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full;');
      file.exec(`begin exclusive; ${schema} commit;`);
      const database = new RegistrarDatabase(file);
      database.#claim('log-origin', log.origin);
      database.#claim('log-public-key', toBase64Url(log.publicKey));
      database.#claim('statement-public-key', toBase64Url(log.statementPublicKey));
      return database;
    } catch (error) {
      file.close();
      if ((error as { errcode?: unknown }).errcode !== sqliteBusy) throw error;
      throw new StartError(
        `A registrar is already running on ${resolve(folder)}: stop it first, or choose another REGISTRAR_DATA_DIR.`,
      );
    }
  }

  /** A log has one name and one key for ever; under others it would be another log that begins in the middle. */
  #claim(name: string, value: string): void {
    this.run('insert or ignore into registrar (name, value) values (?, ?)', name, value);
    if (this.get('select value from registrar where name = ?', name)?.['value'] !== value) {
      throw new StartError(
        'The data folder belongs to a log of another name or other keys: give back REGISTRAR_LOG_ORIGIN and REGISTRAR_KEYS, or begin a new log in an empty REGISTRAR_DATA_DIR.',
      );
    }
  }

  run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }

  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** All of it is on the disk when this returns, or nothing of it is. */
  transaction<Result>(work: () => Result): Result {
    this.#file.exec('begin immediate');
    try {
      const result = work();
      this.#file.exec('commit');
      return result;
    } catch (error) {
      // After some failures, as a full disk, SQLite has rolled back by itself.
      if (this.#file.isTransaction) this.#file.exec('rollback');
      throw error;
    }
  }

  close(): void {
    this.#file.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#file.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
