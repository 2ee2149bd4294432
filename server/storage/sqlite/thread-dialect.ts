import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type CommitSink, pageLength, requireSound } from './node-sqlite-dialect.ts';
import type { OneAtATime } from '../../../process/one-at-a-time.ts';
import type { ThreadCalls } from './thread-calls.ts';
import { packParameters } from './thread-messages.ts';

/**
 * Kysely's SQLite dialect whose statements run in the storage thread, all of them in transactions. Statements may be sent
 * before the earlier ones are answered: they run in the order of their sending, and none after one that failed.
 *
 * @param writers - It lets in every writer to the file, here or there.
 */
export function threadDialect(thread: ThreadCalls, sink: CommitSink, writers: OneAtATime): Dialect {
  return {
    createDriver: () => new ThreadDriver(thread, sink, writers),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class ThreadDriver implements Driver {
  readonly #thread: ThreadCalls;
  readonly #sink: CommitSink;
  readonly #writers: OneAtATime;

  constructor(thread: ThreadCalls, sink: CommitSink, writers: OneAtATime) {
    this.#thread = thread;
    this.#sink = sink;
    this.#writers = writers;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ThreadConnection> {
    await this.#sink.heal();
    await this.#writers.take();
    return new ThreadConnection(this.#thread);
  }

  /** Nobody hears of anything that is not on the disk. */
  async releaseConnection(connection: ThreadConnection): Promise<void> {
    this.#writers.pass();
    if (connection.pages > 0) await this.#sink.settled();
  }

  async beginTransaction(): Promise<void> {
    requireSound(this.#sink);
    await this.#thread.ask({ kind: 'begin' });
  }

  /** A reader may see what is committed before this process hears of it. */
  async commitTransaction(connection: ThreadConnection): Promise<void> {
    const committed = this.#thread.ask({ kind: 'commit' }).finally(() => this.#sink.note(connection.pages));
    this.#sink.expect(committed);
    await committed;
  }

  async rollbackTransaction(): Promise<void> {
    // The error that led here says more than one of the rollback.
    await this.#thread.ask({ kind: 'rollback' }).catch(() => undefined);
  }

  async destroy(): Promise<void> {}
}

class ThreadConnection implements DatabaseConnection {
  readonly #thread: ThreadCalls;
  /** About so many pages were written. */
  pages = 0;

  constructor(thread: ThreadCalls) {
    this.#thread = thread;
  }

  async executeQuery<Row>({ parameters, sql }: CompiledQuery): Promise<QueryResult<Row>> {
    const packed = packParameters(parameters);
    const length = packed.bytes.byteLength;
    const { changes, rows } = await this.#thread.ask({ kind: 'run', sql, ...packed });
    if (changes === null) return { rows: rows as Row[] };
    this.pages += changes + length / pageLength;
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  // eslint-disable-next-line require-yield
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('The storage thread answers a query at once.');
  }
}
