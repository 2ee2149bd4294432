import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StartError } from '../../../process/start-error.ts';
import { type ColumnTypes, columnTypesOf, type DatabaseKind } from '../tables/column-types.ts';
import { createFirstTables } from './0001-first-tables.ts';
import { createEnclaveSessions } from './0002-enclave-sessions.ts';
import { createStepUps } from './0003-step-ups.ts';
import { addAttemptSubjects } from './0004-attempt-subjects.ts';
import { createPrunedItems } from './0005-pruned-items.ts';
import type { Schema } from '../tables/schema.ts';

/** In order; a name stays for ever, since databases remember it. */
const migrations: Record<string, (db: Kysely<unknown>, types: ColumnTypes) => Promise<void>> = {
  '0001-first-tables': createFirstTables,
  '0002-enclave-sessions': createEnclaveSessions,
  '0003-step-ups': createStepUps,
  '0004-attempt-subjects': addAttemptSubjects,
  '0005-pruned-items': createPrunedItems,
};

/** The number of this version's tables; each migration counts one. */
export const newestSchema = Object.keys(migrations).length;

function newerVersion(): StartError {
  return new StartError(
    'The database was written by a newer version of Sotto: start that version, or restore a backup made before the upgrade.',
  );
}

/**
 * Which of the versions above a database has, for whoever must leave it as it is.
 *
 * @throws {StartError} when it has none, or one of a newer Sotto.
 */
export async function storedSchema(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`
    .execute(db)
    .catch(() => ({ rows: [] }));
  if (rows.some(({ name }) => !Object.hasOwn(migrations, name))) throw newerVersion();
  if (rows.length === 0) throw new StartError('The database has no tables of Sotto: look at DATA_DIR or DATABASE_URL.');
  return rows.length;
}

/**
 * Brings a database to this version's tables, each step whole or not at all; several replicas may call it at once.
 *
 * There is no way down: going back is restoring the backup that was made before (server/OPERATING.md).
 *
 * @throws {StartError} when the database was written by a newer Sotto.
 */
export async function migrate<Tables>(db: Kysely<Tables>, kind: DatabaseKind): Promise<void> {
  const types = columnTypesOf(kind);
  const steps = Object.fromEntries(
    Object.entries(migrations).map(([name, up]) => [name, { up: (step: Kysely<unknown>) => up(step, types) }]),
  );
  const migrator = new Migrator({ db, provider: { getMigrations: async () => steps } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  // Kysely has no code for it; a test with a migration from the future holds this text in place.
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message)) {
    throw newerVersion();
  }
  throw error instanceof Error ? error : new Error('The migration failed.');
}
