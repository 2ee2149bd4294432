import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { databaseFileName } from '../../../../server/storage/sqlite/sqlite.ts';
import { ThreadCalls } from '../../../../server/storage/sqlite/thread-calls.ts';
import { LogFile, WalSync } from '../../../../server/storage/sqlite/wal-sync.ts';
import { openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { isWaiting, until } from '../../../parts/relay/in-process/turn-process.ts';

/** Syncs that a test lets go or fails one by one. */
function heldSyncs() {
  const open: PromiseWithResolvers<void>[] = [];
  const sync = vi.fn<() => Promise<void>>(() => {
    const held = Promise.withResolvers<void>();
    open.push(held);
    return held.promise;
  });
  return { open, sync };
}

const rescued = async () => undefined;

test('a commit waits for a sync that began after it, and one sync serves all who wait', async () => {
  const { open, sync } = heldSyncs();
  const log = new WalSync(sync, rescued);
  log.note();
  const first = log.settled();
  log.note();
  log.note();
  const others = [log.settled(), log.settled(), log.settled()];
  expect(sync).toHaveBeenCalledTimes(1);
  open[0]!.resolve();
  await first;
  // The sync under way began before these commits.
  for (const other of others) expect(await isWaiting(other)).toBe(true);
  expect(sync).toHaveBeenCalledTimes(2);
  open[1]!.resolve();
  await Promise.all(others);
  await log.settled();
  expect(sync).toHaveBeenCalledTimes(2);
});

test('a reader of rows that are not on the disk yet waits with their writer', async () => {
  const { open, sync } = heldSyncs();
  const log = new WalSync(sync, rescued);
  await log.settled();
  log.note();
  const [writer, reader] = [log.settled(), log.settled()];
  expect(await isWaiting(reader)).toBe(true);
  open[0]!.resolve();
  await Promise.all([writer, reader]);
  expect(sync).toHaveBeenCalledTimes(1);
});

test('a read during another thread’s commit waits for that commit and for a sync after it', async () => {
  const { open, sync } = heldSyncs();
  const log = new WalSync(sync, rescued);
  const commit = Promise.withResolvers<void>();
  log.expect(commit.promise.finally(() => log.note()));
  const reader = log.settled();
  expect(await isWaiting(reader)).toBe(true);
  expect(sync).not.toHaveBeenCalled();
  commit.resolve();
  await until(() => open.length === 1);
  expect(await isWaiting(reader)).toBe(true);
  open[0]!.resolve();
  await reader;
  // One that fails leaves nothing to wait for.
  log.expect(Promise.reject(new Error('no room')));
  await log.settled();
});

test('after a sync that failed, only a log that moved into the database proves anything', async () => {
  const { open, sync } = heldSyncs();
  let failures = 1;
  const rescue = vi.fn<() => Promise<void>>(async () => {
    if (failures-- > 0) throw new Error('still full');
  });
  const log = new WalSync(sync, rescue);
  log.note();
  const failed = log.settled();
  open[0]!.reject(new Error('no room'));
  await expect(failed).rejects.toThrow('no room');
  await expect(log.settled()).rejects.toThrow('still full');
  await log.settled();
  expect(sync).toHaveBeenCalledTimes(1);
  expect(rescue).toHaveBeenCalledTimes(2);
  log.note();
  const later = log.settled();
  open[1]!.resolve();
  await later;
  expect(sync).toHaveBeenCalledTimes(2);
});

test('sqlite: no write is answered before its sync, single statements too, and a read waits with it', async () => {
  const database = await openTestDatabase('sqlite');
  const held = heldSyncs();
  const sync = vi.spyOn(LogFile.prototype, 'sync').mockImplementation(held.sync);
  const note = (name: string) => ({ name, value: 'x' });
  try {
    const writes = [
      database.write((trx) => trx.insertInto('metadata').values(note('in a transaction')).execute()),
      database.db.insertInto('metadata').values(note('alone')).execute(),
    ];
    await until(() => held.open.length === 1);
    const read = database.db.selectFrom('metadata').select('name').execute();
    for (const call of [...writes, read]) expect(await isWaiting(call)).toBe(true);
    // The second write and the read were let in while the first one waited for its sync.
    held.open[0]!.resolve();
    await until(() => held.open.length === 2);
    held.open[1]!.resolve();
    await Promise.all(writes);
    expect((await read).map(({ name }) => name)).toEqual(expect.arrayContaining(['in a transaction', 'alone']));
    const failed = database.db.deleteFrom('metadata').where('name', '=', 'alone').execute();
    await until(() => held.open.length === 3);
    held.open[2]!.reject(new Error('no room'));
    await expect(failed).rejects.toThrow('no room');
    // Reads go on.
    expect((await database.db.selectFrom('metadata').select('name').execute()).length).toBeGreaterThan(0);
  } finally {
    sync.mockRestore();
  }
  // The log went into the database instead.
  await database.db.insertInto('metadata').values(note('after it')).execute();
});

test('sqlite: whoever reads during a commit of the storage thread waits with its writer', async () => {
  const database = await openTestDatabase('sqlite');
  const held = heldSyncs();
  const reads: Promise<unknown>[] = [];
  const ask = Reflect.get(ThreadCalls.prototype, 'ask') as (
    this: ThreadCalls,
    ...request: Parameters<ThreadCalls['ask']>
  ) => ReturnType<ThreadCalls['ask']>;
  const spies = [
    vi.spyOn(LogFile.prototype, 'sync').mockImplementation(held.sync),
    vi.spyOn(ThreadCalls.prototype, 'ask').mockImplementation(function (this: ThreadCalls, request) {
      const answered = ask.call(this, request);
      if (request.kind === 'commit') reads.push(database.db.selectFrom('metadata').select('name').execute());
      return answered;
    }),
  ];
  try {
    const write = database.writeAside((trx) => trx.insertInto('metadata').values({ name: 'x', value: '' }).execute());
    await until(() => held.open.length === 1);
    expect(reads).toHaveLength(1);
    for (const call of [write, ...reads]) expect(await isWaiting(call)).toBe(true);
    held.open[0]!.resolve();
    await Promise.all([write, ...reads]);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});

test('sqlite: the log is moved beside the event loop and begins again from its start', async () => {
  const database = await openTestDatabase('sqlite');
  const path = join(database.place.dataFolder, databaseFileName);
  const lengthOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);
  const value = 'x'.repeat(1_000_000);
  for (let name = 0; name < 60; name++) {
    await database.db
      .insertInto('metadata')
      .values({ name: String(name), value })
      .execute();
  }
  await until(() => lengthOf(path) > 50_000_000);
  // Sixty megabytes went through it.
  expect(lengthOf(`${path}-wal`)).toBeLessThan(40_000_000);
  const auditor = new DatabaseSync(path, { readOnly: true });
  expect(auditor.prepare('select count(*) as count from metadata where length(value) = 1000000').get()).toMatchObject({
    count: 60,
  });
  auditor.close();
});
