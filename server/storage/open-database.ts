import type { Database } from './tables/database.ts';
import { openPostgres } from './postgres/postgres.ts';
import type { PostgresSettings } from './postgres/postgres-connection.ts';
import { type PostgresDeadlines, usualDeadlines } from './postgres/postgres-pool.ts';
import { openSqlite } from './sqlite/sqlite.ts';
import type { SpaceLimits } from './trouble/storage-space.ts';

/** PostgreSQL when there is a DATABASE_URL, SQLite in the data folder otherwise. */
export function openDatabase(
  settings: SpaceLimits & {
    readonly dataFolder: string;
    readonly postgres: PostgresSettings | null;
  },
  deadlines: PostgresDeadlines = usualDeadlines,
): Promise<Database> {
  return settings.postgres === null
    ? openSqlite(settings.dataFolder, settings)
    : openPostgres(settings.postgres, { ...settings, deadlines });
}
