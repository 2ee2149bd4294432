import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, type PostgresDialectConfig, PostgresDriver, sql } from 'kysely';
import pg from 'pg';
import type { Database } from '../tables/database.ts';
import { migrate } from '../migrations/migrate.ts';
import { connectionComplaint, serverComplaint } from './postgres-complaints.ts';
import { connectionConfig, type PostgresSettings } from './postgres-connection.ts';
import { BoundedPool, type PostgresDeadlines, usualDeadlines } from './postgres-pool.ts';
import { PostgresSpace } from './postgres-space.ts';
import type { Schema } from '../tables/schema.ts';
import { type SpaceLimits, StorageSpace } from '../trouble/storage-space.ts';

/** Two relays and their ears stay below the 25 connections of the smallest servers that one can rent. */
export const usualConnections = 8;
const deadlocks = new Set(['40P01', '40001']);
const attempts = 4;

/** Keeps the true cause of a transaction that failed: its rollback, on a connection that broke, has a lesser one. */
class CauseKeepingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): PostgresDriver {
    return new CauseKeepingDriver(this.#config);
  }
}

class CauseKeepingDriver extends PostgresDriver {
  override async rollbackTransaction(
    ...[connection]: Parameters<PostgresDriver['rollbackTransaction']>
  ): Promise<void> {
    // Kysely has marked the connection, so that nobody gets it again.
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}

export type PostgresOptions = SpaceLimits & {
  readonly deadlines?: PostgresDeadlines;
  /** False leaves tables as they are: for whoever only reads. */
  readonly migrate?: boolean;
};

/** @throws {StartError} when the server does not answer or takes no writes, or a newer Sotto wrote the database. */
export async function openPostgres(settings: PostgresSettings, options: PostgresOptions = {}): Promise<Database> {
  const config = connectionConfig(settings);
  const deadlines = options.deadlines ?? usualDeadlines;
  const pool = new BoundedPool(config, settings.connections ?? usualConnections, deadlines);
  const db = new Kysely<Schema>({ dialect: new CauseKeepingDialect({ pool, controlClient: pg.Client }) });
  const space = new StorageSpace(new PostgresSpace(db), options);
  try {
    await sql`select 1`.execute(db).catch((error: unknown) => {
      throw connectionComplaint(error);
    });
    if (options.migrate !== false) {
      await migrateWithoutDeadlines(config);
      await requireWrites(db);
    }
    await space.refresh();
  } catch (error) {
    await db.destroy();
    throw serverComplaint(error);
  }
  const write: Database['write'] = async (work) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await db.transaction().execute(work);
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (typeof code !== 'string' || !deadlocks.has(code) || attempt === attempts) throw error;
        // Transactions that met once do not meet again at the same moment.
        await sleep(Math.random() * 20 * attempt);
      }
    }
  };
  return {
    kind: 'postgres',
    db,
    space,
    write,
    writeAside: write,
    read: (work) => db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work),
    openClient: () => new pg.Client({ ...config, query_timeout: deadlines.answerMs }),
    close: () => db.destroy(),
  };
}

/** Tables that stand already hide from migrations that nothing can be written: on a standby, or for a user who may only read. */
async function requireWrites(db: Kysely<Schema>): Promise<void> {
  // Deletes no row, but PostgreSQL asks for the right all the same.
  await db
    .deleteFrom('metadata')
    .where(sql<boolean>`false`)
    .execute();
}

/** A large table may take its time, and a replica waits for another one that migrates. */
async function migrateWithoutDeadlines(config: pg.ClientConfig): Promise<void> {
  const pool = new pg.Pool({ ...config, max: 1 });
  // One that breaks fails the step that uses it; as an event of nobody's it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Schema>({ dialect: new CauseKeepingDialect({ pool, controlClient: pg.Client }) });
  try {
    await migrate(db, 'postgres');
  } finally {
    await db.destroy();
  }
}
