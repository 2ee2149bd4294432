import type { Kysely } from 'kysely';
import type { ColumnTypes } from '../tables/column-types.ts';

/** Among whose attempts one was counted (storage/tables/schema.ts): a sign-in that succeeds takes it back there. */
export async function addAttemptSubjects(db: Kysely<unknown>, { bytes }: ColumnTypes): Promise<void> {
  for (const table of ['login_attempts', 'recovery_challenges']) {
    await db.schema.alterTable(table).addColumn('counted_as', bytes).execute();
  }
}
