import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import { databaseKinds, makeDatabase, returnToFirstTables } from '../../../parts/storage/relay-database.ts';
import { makeAccount } from '../../../parts/users/without-keys/vault-device.ts';

/* A database of the first version, with what was in it. */

describe.each(databaseKinds)('%s', (kind) => {
  test('a database of the first tables keeps every row, and gets what is new', async () => {
    const database = await makeDatabase(kind);
    onTestFinished(() => database.remove());
    const { accountId } = await makeAccount(database);
    const turnId = randomBytes(16);
    const turn = { id: turnId, account_id: accountId, state: 'ended', enclave_id: 'e', model: 'm', started_at: 1 };
    const counts = { attempts: 1, request_length: 1, stops: 0, stored_bytes: 0, temporary: 0 };
    const open = { ended_at: 2, lease_owner: null, lease_until: null };
    await database.db
      .insertInto('turns')
      .values({ ...turn, ...counts, ...open })
      .execute();
    await returnToFirstTables(database.db);
    await sql`insert into turn_attempts (turn_id, number, enclave_id, request_hash, started_at)
      values (${turnId}, 1, 'e', ${randomBytes(32)}, 1)`.execute(database.db);
    await database.close();

    const again = await openDatabase(database.place);
    onTestFinished(() => again.close());
    const attempts = await again.db.selectFrom('turn_attempts').selectAll().execute();
    expect(attempts).toMatchObject([{ turn_id: turnId, number: 1, enclave_id: 'e', alternate_enclave_id: null }]);
    expect(await again.db.selectFrom('turns').select('id').execute()).toEqual([{ id: turnId }]);
    expect(await again.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: accountId }]);
    expect(await again.db.selectFrom('heads').select('counter').execute()).toEqual([{ counter: 1 }]);

    const place = { account_id: accountId, pool: 'p', model: 'm', start_key: 'k', started_at: 1, used_at: 1 };
    const rest = { session_token: null, lease_owner: null, lease_until: null, failures: 0, retry_at: 0 };
    const add = (id: string, state: string) =>
      again.db
        .insertInto('enclave_sessions')
        .values({ id, state, ...place, ...rest })
        .execute();
    await add('first', 'live');
    // One for a place; what is being left beside it does not count.
    await expect(add('second', 'starting')).rejects.toThrow(/unique/i);
    await add('third', 'leaving');
    const pruned = { account_id: accountId, id: randomBytes(16), counter: 2, pruned_at: 1 };
    expect(await again.db.selectFrom('pruned_items').selectAll().execute()).toEqual([]);
    await again.db.insertInto('pruned_items').values(pruned).execute();
    await again.db.deleteFrom('accounts').where('id', '=', accountId).execute();
    expect(await again.db.selectFrom('enclave_sessions').selectAll().execute()).toEqual([]);
    expect(await again.db.selectFrom('pruned_items').selectAll().execute()).toEqual([]);
  });
});
