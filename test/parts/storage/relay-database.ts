import { type Kysely, sql } from 'kysely';
import { onTestFinished } from 'vitest';
import type { DatabaseKind } from '../../../server/storage/tables/column-types.ts';
import type { Database } from '../../../server/storage/tables/database.ts';
import { openPostgres } from '../../../server/storage/postgres/postgres.ts';
import type { Schema } from '../../../server/storage/tables/schema.ts';
import { openSqlite } from '../../../server/storage/sqlite/sqlite.ts';
import { createDatabase } from './shared-postgres.ts';
import { makeTemporaryFolder } from '../machine/temporary-folder.ts';

/** For `describe.each`: whatever touches the database is tested on both. */
export const databaseKinds = ['sqlite', 'postgres'] as const satisfies readonly DatabaseKind[];

export type TestDatabase = Database & {
  /** The settings that open it once more. */
  readonly place: { readonly dataFolder: string; readonly postgres: { url: string; ca: null } | null };
  /** Deletes what is on disk; after `close()`. */
  remove(): Promise<void>;
};

/** An empty, migrated database; the caller closes and removes it. */
export async function makeDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const folder = await makeTemporaryFolder(kind);
  const postgres = kind === 'sqlite' ? null : { url: await createDatabase(), ca: null, connections: 8 };
  const database = postgres === null ? await openSqlite(folder.path) : await openPostgres(postgres);
  return { ...database, place: { dataFolder: folder.path, postgres }, remove: () => folder.remove() };
}

/** The same for one test, closed and removed after it. */
export async function openTestDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const database = await makeDatabase(kind);
  onTestFinished(async () => {
    await database.close();
    await database.remove();
  });
  return database;
}

/** Takes back what every migration but the first has made. */
export async function returnToFirstTables(db: Kysely<Schema>): Promise<void> {
  await sql`drop table pruned_items`.execute(db);
  await sql`alter table login_attempts drop column counted_as`.execute(db);
  await sql`alter table recovery_challenges drop column counted_as`.execute(db);
  await sql`drop table step_ups`.execute(db);
  await sql`drop table enclave_sessions`.execute(db);
  await sql`alter table turn_attempts drop column alternate_enclave_id`.execute(db);
  await sql`delete from kysely_migration where name <> '0001-first-tables'`.execute(db);
}
