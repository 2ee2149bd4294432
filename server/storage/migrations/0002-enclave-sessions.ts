import { type Kysely, sql } from 'kysely';
import type { ColumnTypes } from '../tables/column-types.ts';

/** Sessions at a front door of enclaves, and the second recipient of a request (storage/tables/schema.ts says what each column is). */
export async function createEnclaveSessions(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { integer } = types;
  const sessions = db.schema
    .createTable('enclave_sessions')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('pool', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('session_token', 'text')
    .addColumn('start_key', 'text', (column) => column.notNull())
    .addColumn('started_at', integer, (column) => column.notNull())
    .addColumn('used_at', integer, (column) => column.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', integer)
    .addColumn('failures', integer, (column) => column.notNull())
    .addColumn('retry_at', integer, (column) => column.notNull());
  await types.finishTable(sessions, false).execute();
  // One start at a time, and one session, for a place.
  await db.schema
    .createIndex('enclave_sessions_place')
    .on('enclave_sessions')
    .columns(['account_id', 'pool', 'model'])
    .unique()
    .where(sql.ref('state'), '<>', sql.lit('leaving'))
    .execute();
  await db.schema.createIndex('enclave_sessions_idle').on('enclave_sessions').column('used_at').execute();
  await db.schema.alterTable('turn_attempts').addColumn('alternate_enclave_id', 'text').execute();
}
