import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
  type TransactionSettings,
} from 'kysely';
import { OneAtATime } from '../../../process/one-at-a-time.ts';
import { StorageTrouble } from '../trouble/storage-trouble.ts';

const maximumStatements = 200;
/** A writer of so many pages held the event loop for a while: everybody else comes first, then the next transaction. */
const longWritePages = 128;

/** Makes commits durable, outside of SQLite. */
export interface CommitSink {
  /** About so many pages were written and committed. */
  note(pages: number): void;
  /** A commit is under way in another thread, and may be read before it is noted. */
  expect(commit: Promise<unknown>): void;
  /** Resolves when everything that is committed now is on the disk. */
  settled(): Promise<void>;
  /** True after a sync that failed: what is written then could not be answered for. */
  readonly isSuspect: boolean;
  /** Tries to mend that. */
  heal(): Promise<void>;
}

/** @throws {StorageTrouble} `io-error` before something is written that could not be answered for. */
export function requireSound({ isSuspect }: CommitSink): void {
  if (isSuspect) throw new StorageTrouble('io-error', 'The last write could not be synced.');
}

/** Kysely's SQLite dialect over `node:sqlite`, with plain row objects. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;
  readonly #statements: StatementCache;
  readonly #sink: CommitSink;
  readonly #writers: OneAtATime;
  readonly #turn = new OneAtATime();

  /** @param writers - Lets in whoever writes to the file, through this connection or another one. */
  constructor(database: DatabaseSync, sink: CommitSink, writers: OneAtATime) {
    const statements = new StatementCache(database, sink);
    super({ database: statements });
    this.#database = database;
    this.#statements = statements;
    this.#sink = sink;
    this.#writers = writers;
  }

  /** Runs something while nobody reads or writes. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#writers.run(() => this.#turn.run(work));
  }

  override createDriver(): SqliteDriver {
    const connection = new FileConnection(this.#database, this.#turn, this.#writers);
    return new TransactionDriver(connection, this.#statements, this.#sink);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

/** A migration that a power cut interrupts leaves nothing behind: SQLite's DDL is transactional, though Kysely leaves it out. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  /** The driver below lets one in at a time, and lets the next one in before the disk has what the last one wrote. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }

  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** The one connection of the event loop: one caller at a time, and of writers one in all threads. */
class FileConnection implements DatabaseConnection {
  readonly #file: DatabaseSync;
  readonly #turn: OneAtATime;
  readonly #writers: OneAtATime;
  #inner: DatabaseConnection | null = null;
  #writes = false;

  constructor(file: DatabaseSync, turn: OneAtATime, writers: OneAtATime) {
    this.#file = file;
    this.#turn = turn;
    this.#writers = writers;
  }

  get isTransaction(): boolean {
    return this.#file.isTransaction;
  }

  async take(inner: DatabaseConnection): Promise<void> {
    await this.#turn.take();
    this.#inner = inner;
  }

  pass(): void {
    if (this.#writes) this.#writers.pass();
    this.#writes = false;
    this.#turn.pass();
  }

  /** A writer that waits for others lets readers pass; nothing has begun yet. */
  async write(): Promise<void> {
    if (this.#writes) return;
    this.#turn.pass();
    await this.#writers.take();
    await this.#turn.take();
    this.#writes = true;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (!this.isTransaction && !writesNothing.test(query.sql)) await this.write();
    return this.#connection.executeQuery(query);
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery(query, chunkSize);
  }

  get #connection(): DatabaseConnection {
    if (this.#inner === null) throw new Error('The connection was not taken.');
    return this.#inner;
  }
}

/** Begins and ends transactions so that whoever called learns why one failed. */
class TransactionDriver extends SqliteDriver {
  readonly #connection: FileConnection;
  readonly #statements: StatementCache;
  readonly #sink: CommitSink;

  constructor(connection: FileConnection, statements: StatementCache, sink: CommitSink) {
    super({ database: statements });
    this.#connection = connection;
    this.#statements = statements;
    this.#sink = sink;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#sink.heal();
    await this.#connection.take(await super.acquireConnection());
    return this.#connection;
  }

  /** Nobody hears of anything that is not on the disk, and nobody else waits meanwhile. */
  override async releaseConnection(): Promise<void> {
    const pages = this.#statements.takeWritten();
    if (pages > 0) this.#sink.note(pages);
    if (pages < longWritePages) this.#connection.pass();
    else setImmediate(() => this.#connection.pass());
    // A reader waits as well, but is answered even if the sync fails.
    await (pages > 0 ? this.#sink.settled() : this.#sink.settled().catch(() => undefined));
  }

  /** Takes the write lock at the beginning, where waiting for it is still possible. */
  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    const reads = settings?.accessMode === 'read only';
    if (!reads) await this.#connection.write();
    // One whose rollback failed as well.
    if (this.#connection.isTransaction) await super.rollbackTransaction(connection);
    await connection.executeQuery(CompiledQuery.raw(reads ? 'begin' : 'begin immediate'));
  }

  /** A full disk, an error of the disk or of memory ends a transaction by itself: a second end would hide the first error. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (!this.#connection.isTransaction) return;
    // The error that led here says more than one of the rollback.
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}

/** Prepared statements by their text, the least recently used forgotten first. */
class StatementCache implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();
  readonly #sink: CommitSink;
  #written = 0;

  constructor(database: DatabaseSync, sink: CommitSink) {
    this.#database = database;
    this.#sink = sink;
  }

  /** About how many pages were written since the last call; at least one after any statement that may have written. */
  takeWritten(): number {
    const written = this.#written;
    this.#written = 0;
    return written;
  }

  prepare(sql: string): SqliteStatement {
    if (!writesNothing.test(sql)) {
      requireSound(this.#sink);
      this.#written += 1;
    }
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = adaptStatement(this.#database.prepare(sql), (pages) => (this.#written += pages));
    // Inserts of many rows have a text for each number of rows: long texts are not worth keeping.
    if (sql.length <= 2048) this.#statements.set(sql, statement);
    if (this.#statements.size > maximumStatements) {
      const oldest = this.#statements.keys().next().value;
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

export const pageLength = 4_096;

function pagesOf(parameters: readonly unknown[]): number {
  let bytes = 0;
  for (const parameter of parameters) {
    if (parameter instanceof Uint8Array || typeof parameter === 'string') bytes += parameter.length;
  }
  return bytes / pageLength;
}

/** Everything else counts as a write. */
const writesNothing = /^(select|begin|commit|rollback)\b/;

function adaptStatement(statement: StatementSync, notePages: (pages: number) => void): SqliteStatement {
  // Kysely's parameters are what our columns hold: text, safe integers, bytes and null.
  const bind = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    // node:sqlite gives rows without a prototype; PostgreSQL's have one.
    all: (parameters) => statement.all(...bind(parameters)).map((row) => ({ ...row })),
    run(parameters) {
      const result = statement.run(...bind(parameters));
      notePages(Number(result.changes) + pagesOf(parameters));
      return result;
    },
    iterate: (parameters) => statement.iterate(...bind(parameters)),
  };
}
