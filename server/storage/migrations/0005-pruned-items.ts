import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../tables/column-types.ts';

/** Ids of leaves that clients pruned (storage/tables/schema.ts says what each column is). */
export async function createPrunedItems(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { bytes, integer } = types;
  const pruned = db.schema
    .createTable('pruned_items')
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('id', bytes, (column) => column.notNull())
    .addColumn('counter', integer, (column) => column.notNull())
    .addColumn('pruned_at', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('pruned_items_key', ['account_id', 'id']);
  await types.finishTable(pruned, true).execute();
  const place = ['account_id', 'counter', 'id'] as const;
  await db.schema
    .createIndex('pruned_items_changes')
    .on('pruned_items')
    .columns([...place])
    .execute();
  await db.schema.createIndex('pruned_items_age').on('pruned_items').column('pruned_at').execute();
}
