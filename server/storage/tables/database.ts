import type { Kysely, Transaction } from 'kysely';
import type { Client } from 'pg';
import type { DatabaseKind } from './column-types.ts';
import type { Schema } from './schema.ts';
import type { StorageSpace } from '../trouble/storage-space.ts';

/** Where the relay keeps everything: SQLite in the data folder or PostgreSQL, the same to its callers. */
export interface Database {
  readonly kind: DatabaseKind;
  /** For reads, and for writes of one statement. */
  readonly db: Kysely<Schema>;
  /** How much may still be stored. */
  readonly space: StorageSpace;
  /**
   * Runs several statements as one transaction; when it resolves, a killed process or machine loses nothing of it.
   *
   * PostgreSQL may ask for another run (deadlock): `work` does nothing but talk to the database.
   */
  write<Result>(work: (trx: Transaction<Schema>) => Promise<Result>): Promise<Result>;
  /**
   * Works as `write`, beside the event loop where the database is a file: for many bytes for which nobody waits. Statements may
   * be sent before the earlier ones are answered.
   */
  writeAside<Result>(work: (trx: Transaction<Schema>) => Promise<Result>): Promise<Result>;
  /** Runs several reads that see one state of the database. */
  read<Result>(work: (trx: Transaction<Schema>) => Promise<Result>): Promise<Result>;
  /** An unconnected client of its own for LISTEN; null with SQLite, where one process is alone. */
  readonly openClient: (() => Client) | null;
  close(): Promise<void>;
}

/** True if a row with this key was there already. */
export function isDuplicate(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errcode, code } = error as Error & { errcode?: unknown; code?: unknown };
  // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE; unique_violation.
  return errcode === 1555 || errcode === 2067 || code === '23505';
}
