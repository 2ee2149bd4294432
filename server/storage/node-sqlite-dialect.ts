import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';

const maximumStatements = 200;

/** Kysely's SQLite dialect over `node:sqlite`, with plain row objects. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;
  readonly #statements: SqliteDatabase;

  constructor(database: DatabaseSync) {
    const statements = new StatementCache(database);
    super({ database: statements });
    this.#database = database;
    this.#statements = statements;
  }

  override createDriver(): SqliteDriver {
    return new TransactionDriver(this.#database, this.#statements);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

/** A migration that a power cut interrupts leaves nothing behind: SQLite's DDL is transactional, though Kysely leaves it out. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Begins and ends transactions so that whoever called learns why one failed. */
class TransactionDriver extends SqliteDriver {
  readonly #file: DatabaseSync;

  constructor(file: DatabaseSync, statements: SqliteDatabase) {
    super({ database: statements });
    this.#file = file;
  }

  /** Takes the write lock at the beginning, where waiting for it is still possible. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // One whose rollback failed as well.
    if (this.#file.isTransaction) await super.rollbackTransaction(connection);
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** A full disk, an error of the disk or of memory ends a transaction by itself: a second end would hide the first error. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (!this.#file.isTransaction) return;
    // The error that led here says more than one of the rollback.
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}

/** Prepared statements by their text, the least recently used forgotten first. */
class StatementCache implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = adaptStatement(this.#database.prepare(sql));
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

function adaptStatement(statement: StatementSync): SqliteStatement {
  // Kysely's parameters are what our columns hold: text, safe integers, bytes and null.
  const bind = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    // node:sqlite gives rows without a prototype; PostgreSQL's have one.
    all: (parameters) => statement.all(...bind(parameters)).map((row) => ({ ...row })),
    run: (parameters) => statement.run(...bind(parameters)),
    iterate: (parameters) => statement.iterate(...bind(parameters)),
  };
}
