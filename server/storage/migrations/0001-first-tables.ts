import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { ColumnTypes } from '../tables/column-types.ts';

/** Accounts, vault, turns and sessions (storage/tables/schema.ts says what each column is). */
export async function createFirstTables(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { bytes, integer } = types;
  const finish = (table: CreateTableBuilder<string, string>, clusterByKey = false): Promise<void> =>
    types.finishTable(table, clusterByKey).execute();
  const newTable = (name: string): CreateTableBuilder<string, never> => db.schema.createTable(name);

  await finish(
    newTable('metadata')
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('value', 'text', (column) => column.notNull()),
  );

  await finish(
    newTable('accounts')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('name_hash', bytes, (column) => column.notNull().unique())
      .addColumn('opaque_user_id', 'text', (column) => column.notNull().unique())
      .addColumn('opaque_setup_id', 'text', (column) => column.notNull())
      .addColumn('opaque_record', 'text', (column) => column.notNull())
      .addColumn('stretching', 'text', (column) => column.notNull())
      .addColumn('recovery_public_key', bytes, (column) => column.notNull())
      .addColumn('keyslot_list', bytes, (column) => column.notNull())
      .addColumn('keyring', bytes)
      .addColumn('head_counter', integer, (column) => column.notNull())
      .addColumn('head_hash', bytes, (column) => column.notNull())
      .addColumn('used_bytes', integer, (column) => column.notNull())
      .addColumn('created_at', integer, (column) => column.notNull()),
  );

  await finish(
    newTable('keyslots')
      .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('slot_id', bytes, (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('generation', integer, (column) => column.notNull())
      .addColumn('body', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('keyslots_key', ['account_id', 'slot_id']),
  );

  await finish(
    newTable('heads')
      .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('counter', integer, (column) => column.notNull())
      .addColumn('body', bytes, (column) => column.notNull())
      .addColumn('hash', bytes, (column) => column.notNull())
      .addColumn('stored_at', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('heads_key', ['account_id', 'counter']),
    true,
  );

  await finish(
    newTable('items')
      .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('id', bytes, (column) => column.notNull())
      .addColumn('version', integer, (column) => column.notNull())
      .addColumn('expires_at', integer, (column) => column.notNull())
      .addColumn('flags', integer, (column) => column.notNull())
      .addColumn('counter', integer, (column) => column.notNull())
      .addColumn('stored_at', integer, (column) => column.notNull())
      .addColumn('turn_id', bytes)
      .addColumn('length', integer, (column) => column.notNull())
      .addColumn('body_hash', bytes, (column) => column.notNull())
      .addColumn('body', bytes)
      .addPrimaryKeyConstraint('items_key', ['account_id', 'id']),
  );
  await db.schema.createIndex('items_cursor').on('items').columns(['account_id', 'counter', 'id']).unique().execute();
  await db.schema
    .createIndex('items_expiry')
    .on('items')
    .column('expires_at')
    .where(sql.ref('expires_at'), '>', sql.lit(0))
    .where(sql.ref('body'), 'is not', null)
    .execute();

  await finish(
    newTable('turns')
      .addColumn('id', bytes, (column) => column.primaryKey().notNull())
      .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('enclave_id', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('started_at', integer, (column) => column.notNull())
      .addColumn('ended_at', integer)
      .addColumn('attempts', integer, (column) => column.notNull())
      .addColumn('request_length', integer, (column) => column.notNull())
      .addColumn('stops', integer, (column) => column.notNull())
      .addColumn('stored_bytes', integer, (column) => column.notNull())
      .addColumn('temporary', integer, (column) => column.notNull())
      .addColumn('lease_owner', 'text')
      .addColumn('lease_until', integer),
  );
  await db.schema.createIndex('turns_by_time').on('turns').columns(['account_id', 'started_at', 'id']).execute();
  await db.schema
    .createIndex('turns_running')
    .on('turns')
    .column('lease_until')
    .where(sql.ref('state'), '=', sql.lit('running'))
    .execute();
  await db.schema
    .createIndex('turns_temporary')
    .on('turns')
    .column('ended_at')
    .where(sql.ref('temporary'), '=', sql.lit(1))
    .execute();

  await finish(
    newTable('turn_attempts')
      .addColumn('turn_id', bytes, (column) => column.notNull().references('turns.id').onDelete('cascade'))
      .addColumn('number', integer, (column) => column.notNull())
      .addColumn('enclave_id', 'text', (column) => column.notNull())
      .addColumn('request_hash', bytes, (column) => column.notNull())
      .addColumn('started_at', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('turn_attempts_key', ['turn_id', 'number'])
      .addUniqueConstraint('turn_attempts_request', ['turn_id', 'request_hash']),
  );

  await finish(
    newTable('transcripts')
      .addColumn('turn_id', bytes, (column) => column.notNull().references('turns.id').onDelete('cascade'))
      .addColumn('transcript_id', bytes, (column) => column.notNull())
      .addColumn('enclave_id', 'text', (column) => column.notNull())
      .addColumn('header', bytes, (column) => column.notNull())
      .addColumn('closed', integer)
      .addColumn('created_at', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('transcripts_key', ['turn_id', 'transcript_id']),
  );

  await finish(
    newTable('frames')
      .addColumn('turn_id', bytes, (column) => column.notNull())
      .addColumn('transcript_id', bytes, (column) => column.notNull())
      .addColumn('number', integer, (column) => column.notNull())
      .addColumn('count', integer, (column) => column.notNull())
      .addColumn('body', bytes, (column) => column.notNull())
      // Not clustered: rows of 3 KB are appended, and only their small keys go to a page for each turn.
      .addPrimaryKeyConstraint('frames_key', ['turn_id', 'transcript_id', 'number']),
  );

  await finish(
    newTable('sessions')
      .addColumn('id', bytes, (column) => column.primaryKey().notNull())
      .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('token_seed', bytes, (column) => column.notNull())
      .addColumn('generation', integer, (column) => column.notNull())
      .addColumn('rotated_at', integer, (column) => column.notNull())
      .addColumn('created_at', integer, (column) => column.notNull())
      .addColumn('refreshed_at', integer, (column) => column.notNull())
      .addColumn('expires_at', integer, (column) => column.notNull()),
  );
  await db.schema.createIndex('sessions_by_account').on('sessions').columns(['account_id', 'created_at']).execute();
  await db.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();

  await finish(
    newTable('login_attempts')
      .addColumn('id', bytes, (column) => column.primaryKey().notNull())
      .addColumn('account_id', 'text', (column) => column.references('accounts.id').onDelete('cascade'))
      .addColumn('session_id', bytes)
      .addColumn('server_state', 'text', (column) => column.notNull())
      .addColumn('expires_at', integer, (column) => column.notNull()),
  );
  await db.schema.createIndex('login_attempts_expiry').on('login_attempts').column('expires_at').execute();

  await finish(
    newTable('recovery_challenges')
      .addColumn('id', bytes, (column) => column.primaryKey().notNull())
      .addColumn('account_id', 'text', (column) => column.references('accounts.id').onDelete('cascade'))
      .addColumn('challenge', bytes, (column) => column.notNull())
      .addColumn('masked_name_tag', bytes, (column) => column.notNull())
      .addColumn('issued_at', integer, (column) => column.notNull())
      .addColumn('expires_at', integer, (column) => column.notNull()),
  );
  await db.schema.createIndex('recovery_challenges_expiry').on('recovery_challenges').column('expires_at').execute();

  await finish(
    newTable('rate_counters')
      .addColumn('subject', bytes, (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('window_start', integer, (column) => column.notNull())
      .addColumn('count', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('rate_counters_key', ['subject', 'kind']),
  );
}
