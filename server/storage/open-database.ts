import type { Database } from './database.ts';
import { openPostgres, type PostgresSettings } from './postgres.ts';
import { openSqlite } from './sqlite.ts';

/** PostgreSQL when there is a DATABASE_URL, SQLite in the data folder otherwise. */
export function openDatabase(settings: {
  readonly dataFolder: string;
  readonly postgres: PostgresSettings | null;
}): Promise<Database> {
  return settings.postgres === null ? openSqlite(settings.dataFolder) : openPostgres(settings.postgres);
}
