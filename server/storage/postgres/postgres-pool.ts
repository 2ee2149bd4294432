import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { StorageTrouble, type TroubleCause, troubleOf } from '../trouble/storage-trouble.ts';

/** How long each part of a call to PostgreSQL may take. A call that the server ends says why; a frozen server says nothing. */
export type PostgresDeadlines = {
  readonly statementMs: number;
  readonly lockMs: number;
  /** A relay that froze in a transaction must not hold its rows. */
  readonly idleInTransactionMs: number;
  /** Longer than a statement may take, for a server that does not even say that it took too long. */
  readonly answerMs: number;
  /** For one more connection, and for one of those that are in use. */
  readonly connectionMs: number;
};

export const usualDeadlines: PostgresDeadlines = {
  statementMs: 10_000,
  lockMs: 8_000,
  idleInTransactionMs: 20_000,
  answerMs: 12_000,
  connectionMs: 8_000,
};

/** For a backup or a restore, whose other end may be slow: none but that a dead server is noticed after a while. */
export const patientDeadlines: PostgresDeadlines = {
  ...usualDeadlines,
  statementMs: 0,
  lockMs: 0,
  idleInTransactionMs: 0,
  answerMs: 3_600_000,
};

/** While the server grants no more connections, those that there are serve everybody; then one more is tried at a time. */
const narrowForMs = 10_000;
const widenEveryMs = 1_000;
/** A pooler lets one in and then lets it wait for a place: its first words are answered in this time, where others' are. */
const firstAnswerMs = 2_000;
/** How long a goodbye may take. */
const farewellMs = 2_000;

/** Connections to PostgreSQL that never keep anybody waiting for ever. */
export class BoundedPool implements PostgresPool {
  readonly options: object;
  readonly #pool: pg.Pool;
  readonly #connections: number;
  readonly #deadlines: PostgresDeadlines;
  readonly #prepared = new WeakSet<pg.PoolClient>();
  readonly #broken = new WeakSet<pg.PoolClient>();
  /** In use or not. */
  readonly #standing = new Set<pg.PoolClient>();
  #narrowUntilMs = 0;
  #answeredAtMs = -Infinity;

  constructor(config: pg.ClientConfig, connections: number, deadlines: PostgresDeadlines) {
    this.#connections = connections;
    this.#deadlines = deadlines;
    this.#pool = new pg.Pool({
      ...config,
      max: connections,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: deadlines.connectionMs,
    });
    this.options = this.#pool.options;
    // A connection that breaks while idle; the next query takes another.
    this.#pool.on('error', () => undefined);
    // One that breaks in a transaction: the pool listens to idle ones alone, and the call that holds it fails by itself.
    this.#pool.on('connect', (client) => {
      this.#standing.add(client);
      for (const event of ['error', 'end'] as const) client.on(event, () => this.#broken.add(client));
    });
    this.#pool.on('remove', (client) => this.#standing.delete(client));
  }

  /** @throws {StorageTrouble} when there is none in time. */
  async connect(): Promise<PostgresPoolClient> {
    const startedAtMs = performance.now();
    for (;;) {
      this.#widen();
      try {
        return await this.#prepare(await this.#take());
      } catch (error) {
        const isGranted = !this.#isRefused(troubleOf(error), startedAtMs);
        if (isGranted || performance.now() >= startedAtMs + this.#deadlines.connectionMs) throw error;
        this.#pool.options.max = Math.max(1, this.#standing.size);
        this.#narrowUntilMs = performance.now() + narrowForMs;
        // Calls that were refused together do not come back together.
        await sleep(50 + Math.random() * 200);
      }
    }
  }

  /** Returns once nothing of it is left, also when the server is frozen or the network dead. */
  async end(): Promise<void> {
    await this.#pool.end();
    await Promise.all([...this.#standing].map((client) => endsOrIsCut(client)));
  }

  #widen(): void {
    const { options } = this.#pool;
    if (options.max >= this.#connections || performance.now() < this.#narrowUntilMs) return;
    options.max = Math.min(this.#connections, this.#standing.size + 1);
    this.#narrowUntilMs = performance.now() + widenEveryMs;
  }

  /** A pooler that has no place for one more says nothing on it, while it serves the others. */
  #isRefused(trouble: TroubleCause | null, sinceMs: number): boolean {
    return trouble === 'no-connection' || (trouble === 'no-answer' && this.#answeredAtMs > sinceMs);
  }

  async #take(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (reason) {
      throw connectionTrouble(reason);
    }
  }

  async #prepare(client: pg.PoolClient): Promise<PostgresPoolClient> {
    const { answerMs, idleInTransactionMs, lockMs, statementMs } = this.#deadlines;
    const bounded = (longestMs: number) =>
      new BoundedClient(client, longestMs, {
        answered: () => (this.#answeredAtMs = performance.now()),
        isBroken: () => this.#broken.has(client),
      });
    if (this.#prepared.has(client)) return bounded(answerMs);
    const first = bounded(this.#standing.size === 1 ? answerMs : Math.min(answerMs, firstAnswerMs));
    try {
      // Not among the parameters of the connection: a pooler between refuses those that it does not know.
      await first.query(
        `set statement_timeout = ${statementMs}; set lock_timeout = ${lockMs}; set idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
        [],
      );
    } catch (error) {
      this.#standing.delete(client);
      first.release(true);
      throw error;
    }
    this.#prepared.add(client);
    return bounded(answerMs);
  }
}

/** One connection of the pool, in the hands of one caller. */
class BoundedClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #answerMs: number;
  readonly #pool: { answered(): void; isBroken(): boolean };
  #isSilent = false;

  constructor(client: pg.PoolClient, answerMs: number, pool: { answered(): void; isBroken(): boolean }) {
    this.#client = client;
    this.#answerMs = answerMs;
    this.#pool = pool;
  }

  query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(
    text: string | PostgresCursor<Row>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<Row>> | PostgresCursor<Row> {
    if (typeof text !== 'string') throw new Error('Rows come in pages here, not from a cursor.');
    return this.#query(text, parameters);
  }

  release(destroy = false): void {
    this.#client.release(destroy || this.#isSilent || this.#pool.isBroken());
  }

  async #query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    const timer = setTimeout(() => {
      this.#isSilent = true;
      // With a query under way this cuts the connection, which fails the query.
      void this.#client.end().catch(() => undefined);
    }, this.#answerMs);
    try {
      const result: pg.QueryResult = await this.#client.query(
        text,
        parameters.length === 0 ? undefined : [...parameters],
      );
      this.#pool.answered();
      return result as PostgresQueryResult<Row>;
    } catch (error) {
      const silent = new StorageTrouble('no-answer', 'PostgreSQL does not answer on this connection.', error);
      if (this.#isSilent) throw silent;
      if (!this.#pool.isBroken() || troubleOf(error) !== null) throw error;
      throw new StorageTrouble('unreachable', 'The connection to PostgreSQL broke.', error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Says goodbye; whoever does not answer it is cut off. */
export async function endConnection(client: pg.Client): Promise<void> {
  const ended = endsOrIsCut(client);
  void client.end().catch(() => undefined);
  await ended;
}

async function endsOrIsCut(client: pg.ClientBase): Promise<void> {
  const { stream } = (client as pg.Client).connection;
  if (stream.closed) return;
  const timer = setTimeout(() => stream.destroy(), farewellMs);
  await once(stream, 'close').catch(() => undefined);
  clearTimeout(timer);
}

/** Says of an error of connecting what kind of trouble it is. */
export function connectionTrouble(reason: unknown): StorageTrouble {
  const known = troubleOf(reason);
  // PgBouncer has a place for no client more, and one code for everything.
  if (known !== null && /no more connections|too many .*connections/.test((reason as Error).message)) {
    return new StorageTrouble('no-connection', 'The pooler before PostgreSQL grants no connection.', reason);
  }
  if (known !== null) return new StorageTrouble(known, 'PostgreSQL grants no connection.', reason);
  // pg has no codes for what runs out of time; tests with a frozen and a busy server hold these texts in place.
  const text = reason instanceof Error ? reason.message : '';
  if (text === 'timeout exceeded when trying to connect') {
    return new StorageTrouble('no-connection', 'All connections to PostgreSQL are in use.', reason);
  }
  if (/connection timeout|timeout expired/.test(text)) {
    return new StorageTrouble('no-answer', 'PostgreSQL does not answer a new connection.', reason);
  }
  return new StorageTrouble('unreachable', 'There is no connection to PostgreSQL.', reason);
}
