import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../tables/column-types.ts';

/** Fresh proofs that were begun (storage/tables/schema.ts says what each column is). */
export async function createStepUps(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { bytes, integer } = types;
  const stepUps = db.schema
    .createTable('step_ups')
    .addColumn('id', bytes, (column) => column.primaryKey().notNull())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('session_id', bytes, (column) => column.notNull())
    .addColumn('act', 'text', (column) => column.notNull())
    .addColumn('body_digest', bytes, (column) => column.notNull())
    .addColumn('server_state', 'text')
    .addColumn('nonce', bytes)
    .addColumn('expires_at', integer, (column) => column.notNull());
  await types.finishTable(stepUps, false).execute();
  await db.schema.createIndex('step_ups_by_account').on('step_ups').column('account_id').execute();
  await db.schema.createIndex('step_ups_expiry').on('step_ups').column('expires_at').execute();
}
