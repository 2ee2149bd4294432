import { describe, expect, test } from 'vitest';
import { ModalSessionRows, startLeaseMs } from '../../../../server/pools/modal/modal-session-rows.ts';
import { databaseKinds, openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { makeSignedInAccount } from '../../../parts/users/without-keys/vault-device.ts';

/* Who may start a session, when several relays want to; times are the test's own. */

const door = { url: 'https://a--b.modal.direct/', proxyToken: 'wk-a.ws-b' };
const nowMs = 1_800_000_000_000;

describe.each(databaseKinds)('%s', (kind) => {
  const open = async () => {
    const database = await openTestDatabase(kind);
    const { accountId } = await makeSignedInAccount(database);
    const rows = Array.from({ length: 8 }, () => new ModalSessionRows(database.db, door));
    return { database, place: { accountId, model: 'default' }, rows, one: rows[0]!, two: rows[1]! };
  };

  test('ModalSessionRows: one of many that want to start at once may start', async () => {
    const { place, rows } = await open();
    const claims = await Promise.all(rows.map((relay) => relay.claimNew(place, nowMs)));
    const claimed = claims.filter((claim) => claim !== null);
    expect(claimed).toHaveLength(1);
    expect((await rows[3]!.findCurrent(place))?.id).toBe(claimed[0]?.id);
    // Another model is another place.
    expect(await rows[4]!.claimNew({ ...place, model: 'other' }, nowMs)).not.toBeNull();
  });

  test('a start whose relay is gone is gone on with by one other, with the same key', async () => {
    const { one, place, rows, two } = await open();
    const row = await one.claimNew(place, nowMs);
    if (row === null) throw new Error('Nobody else is there.');
    expect(await one.renewStart(row.id, nowMs + 10_000)).toBe(true);
    expect(await two.claimAbandoned(row, nowMs + startLeaseMs + 1)).toBeNull();
    const laterMs = nowMs + 10_000 + startLeaseMs + 1;
    const claims = await Promise.all(rows.slice(1).map((relay) => relay.claimAbandoned(row, laterMs)));
    const taken = claims
      .map((claim, index) => ({ claim, relay: rows[index + 1]! }))
      .filter(({ claim }) => claim !== null);
    expect(taken).toHaveLength(1);
    const { claim, relay } = taken[0]!;
    expect([claim?.id, claim?.start_key, claim?.started_at]).toEqual([row.id, row.start_key, nowMs]);
    // The first one was only slow: what it brings does not count any more.
    expect(await one.renewStart(row.id, laterMs)).toBe(false);
    expect(await one.finishStart(row.id, 'late', laterMs)).toBe(false);
    expect(await relay.finishStart(row.id, 'a-session-token', laterMs)).toBe(true);
    const found = await two.findById(row.id, place.accountId);
    expect(found === null ? null : two.tokenOf(found)).toBe('a-session-token');
  });

  test('one that failed waits, longer each time, and then has a new key', async () => {
    const { one, place, two } = await open();
    const row = await one.claimNew(place, nowMs);
    if (row === null) throw new Error('Nobody else is there.');
    await one.failStart(row, nowMs);
    const failed = await two.findCurrent(place);
    expect(failed).toMatchObject({ state: 'starting', failures: 1, retry_at: nowMs + 4_000, lease_owner: null });
    if (failed === undefined) return;
    const again = await two.claimAbandoned(failed, nowMs + 5_000);
    expect(again).toMatchObject({ retry_at: 0, started_at: nowMs + 5_000 });
    expect(again?.start_key).not.toBe(row.start_key);
    if (again === null) return;
    await two.failStart(again, nowMs + 5_000);
    expect(await one.findCurrent(place)).toMatchObject({ failures: 2, retry_at: nowMs + 13_000 });
  });

  test('only what nobody uses is idle, only what nobody needs is deserted', async () => {
    const { database, one, place } = await open();
    const row = await one.claimNew(place, nowMs);
    await one.finishStart(row?.id ?? '', 'a-session-token', nowMs);
    expect(await one.findIdle(nowMs)).toEqual([]);
    expect(await one.findIdle(nowMs + 1)).toHaveLength(1);
    await one.touch([row?.id ?? ''], nowMs + 1_000);
    expect(await one.findIdle(nowMs + 1)).toEqual([]);
    expect(await one.findDeserted(Date.now())).toEqual([]);
    await database.db.deleteFrom('sessions').execute();
    const turn = {
      account_id: place.accountId,
      state: 'running',
      enclave_id: row?.id ?? '',
      model: 'm',
      started_at: 1,
    };
    const rest = { attempts: 1, request_length: 1, stops: 0, stored_bytes: 0, temporary: 0, ended_at: null };
    await database.db
      .insertInto('turns')
      .values({ id: new Uint8Array(16), ...turn, ...rest, lease_owner: null, lease_until: null })
      .execute();
    expect(await one.findDeserted(Date.now())).toEqual([]);
    await database.db.updateTable('turns').set({ state: 'ended' }).execute();
    expect((await one.findDeserted(Date.now())).map(({ id }) => id)).toEqual([row?.id]);
    expect([await one.forget(row?.id ?? ''), await one.forget(row?.id ?? '')]).toEqual([true, false]);
  });
});
