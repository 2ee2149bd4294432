import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Schema } from '../../../../server/storage/tables/schema.ts';
import { databaseFileName } from '../../../../server/storage/sqlite/sqlite.ts';
import { ThreadCalls } from '../../../../server/storage/sqlite/thread-calls.ts';
import { packParameters, unpackParameters } from '../../../../server/storage/sqlite/thread-messages.ts';
import { openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { isWaiting } from '../../../parts/relay/in-process/turn-process.ts';

const insert = (db: Kysely<Schema>, name: string) => db.insertInto('metadata').values({ name, value: '' }).execute();
const names = async (db: Kysely<Schema>) =>
  (await db.selectFrom('metadata').select('name').orderBy('name').execute()).map((row) => row.name);

test('everybody reads while the thread writes, and whoever writes waits for it', async () => {
  const database = await openTestDatabase('sqlite');
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const aside = database.writeAside(async (trx) => {
    await insert(trx, 'aside');
    begun.resolve();
    await gate.promise;
  });
  await begun.promise;
  expect(await names(database.db)).toEqual([]);
  const writes = [insert(database.db, 'alone'), database.write((trx) => insert(trx, 'in a transaction'))];
  for (const write of writes) expect(await isWaiting(write)).toBe(true);
  // Also behind writers who wait.
  expect(await database.read((trx) => names(trx))).toEqual([]);
  gate.resolve();
  await Promise.all([aside, ...writes]);
  expect(await names(database.db)).toEqual(['alone', 'aside', 'in a transaction']);
});

test('no statement that was sent ahead is stored behind one that ended the transaction', async () => {
  const database = await openTestDatabase('sqlite');
  await sql`create trigger ending before insert on metadata when new.name = 'end'
    begin select raise(rollback, 'ended'); end`.execute(database.db);
  const failed = database.writeAside((trx) =>
    Promise.all(['before', 'end', 'behind'].map((name) => insert(trx, name))),
  );
  await expect(failed).rejects.toThrow('ended');
  expect(await names(database.db)).toEqual([]);
  await database.writeAside((trx) => Promise.all(['one', 'two'].map((name) => insert(trx, name))));
  expect(await names(database.db)).toEqual(['one', 'two']);
});

test('a thread that dies takes its transaction with it, says so, and the next one begins anew', async () => {
  const database = await openTestDatabase('sqlite');
  const thread = new ThreadCalls(join(database.place.dataFolder, databaseFileName));
  onTestFinished(() => thread.close());
  const run = (text: string) => thread.ask({ kind: 'run', sql: text, ...packParameters([]) });
  await thread.ask({ kind: 'begin' });
  await run(`insert into metadata values ('lost', '')`);
  const tooMuch = run(`with recursive n(i) as (select 1 union all select i + 1 from n limit 4000)
    select hex(randomblob(100000)) as text from n`);
  await expect(tooMuch).rejects.toThrow('The storage thread ended.');
  await expect(thread.ask({ kind: 'commit' })).rejects.toThrow('The transaction is over.');
  await thread.ask({ kind: 'begin' });
  await run(`insert into metadata values ('kept', '')`);
  await thread.ask({ kind: 'commit' });
  expect(await names(database.db)).toEqual(['kept']);
});

test('parameters: views of larger buffers are copied, and come back as they were', () => {
  const pool = Uint8Array.from({ length: 64 }, (_, index) => index);
  const parameters = [pool.subarray(3, 7), 'text', 5, null, pool.subarray(0, 0), pool.subarray(60)];
  const packed = packParameters(parameters);
  expect(packed.bytes.byteLength).toBe(8);
  expect(unpackParameters(packed.parameters, packed.bytes)).toEqual(parameters);
});
