import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { ClockWatch, judge } from '../../../server/storage/clock-watch.ts';
import { Housekeeping } from '../../../server/housekeeping.ts';
import type { Database } from '../../../server/storage/tables/database.ts';
import { startTurnProcess } from '../../parts/relay/in-process/turn-process.ts';
import { quietLog } from '../../parts/relay/in-process/quiet-log.ts';
import { databaseKinds, openTestDatabase } from '../../parts/storage/relay-database.ts';
import { addSession, day, makeAccount, newId, write } from '../../parts/users/without-keys/vault-device.ts';

const todayMs = Date.UTC(2026, 10, 30, 12);

/** Tells what one start of a relay deletes when its clock says this. */
async function sweepAt(
  database: Database,
  nowMs: number,
  checkedAtMs: number | null = null,
): Promise<readonly string[]> {
  vi.setSystemTime(nowMs);
  const log = quietLog();
  const clock = new ClockWatch(database, log, checkedAtMs);
  await new Housekeeping(database, log, clock).sweep();
  const { service } = await startTurnProcess(database, [], undefined, clock);
  await service.clean();
  await service.close();
  return log.codes;
}

describe.each(databaseKinds)('%s', (kind) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: todayMs }));
  afterEach(() => void vi.useRealTimers());

  /** An account with a session of thirty days and an item of ten. */
  async function lived() {
    const database = await openTestDatabase(kind);
    const device = await makeAccount(database);
    const item = write(newId(), 1, { expiresAt: Math.floor(todayMs / day) + 10 });
    await device.send(device.batch({ items: [item] }));
    await addSession(database, device.accountId, { usedAtMs: todayMs, lifetimeMs: 30 * day });
    const left = async () => {
      const bodies = await database.db.selectFrom('items').select('id').where('body', 'is not', null).execute();
      const sessions = await database.db.selectFrom('sessions').select('id').execute();
      return { bodies: bodies.length, sessions: sessions.length };
    };
    return { database, left };
  }

  test('a clock that is 150 days ahead for one start deletes nothing, says so once, and the right one goes on', async () => {
    const { database, left } = await lived();
    expect(await sweepAt(database, todayMs)).toEqual([]);
    expect(await sweepAt(database, todayMs + 150 * day)).toEqual(['clock-far-ahead']);
    expect(await left()).toEqual({ bodies: 1, sessions: 1 });
    expect(await sweepAt(database, todayMs + 60_000)).toEqual([]);
    expect(await left()).toEqual({ bodies: 1, sessions: 1 });
    // Days that pass in use delete what they should.
    for (let passed = 5; passed <= 40; passed += 5) expect(await sweepAt(database, todayMs + passed * day)).toEqual([]);
    expect(await left()).toEqual({ bodies: 0, sessions: 0 });
  });

  test('a database without a mark, as an earlier version leaves it, is judged by its newest write', async () => {
    const { database, left } = await lived();
    expect(await sweepAt(database, todayMs + 31 * day)).toEqual(['clock-far-ahead']);
    expect(await left()).toEqual({ bodies: 1, sessions: 1 });
  });

  test('after a long pause a person says the date, or the clock says the same for three days', async () => {
    const [stated, steady] = [await lived(), await lived()];
    const backMs = todayMs + 150 * day;
    expect(await sweepAt(stated.database, backMs, backMs - day / 2)).toEqual([]);
    expect(await stated.left()).toEqual({ bodies: 0, sessions: 0 });
    expect(await sweepAt(steady.database, backMs)).toEqual(['clock-far-ahead']);
    expect(await sweepAt(steady.database, backMs + 2 * day)).toEqual(['clock-far-ahead']);
    expect(await steady.left()).toEqual({ bodies: 1, sessions: 1 });
    expect(await sweepAt(steady.database, backMs + 3 * day)).toEqual([]);
    expect(await steady.left()).toEqual({ bodies: 0, sessions: 0 });
  });

  test('attempts, which live a minute, are swept by any clock', async () => {
    const { database } = await lived();
    const attempt = { id: randomBytes(16), account_id: null, session_id: null, server_state: '', expires_at: todayMs };
    await database.db.insertInto('login_attempts').values(attempt).execute();
    await sweepAt(database, todayMs + 150 * day);
    expect(await database.db.selectFrom('login_attempts').selectAll().execute()).toEqual([]);
  });
});

test('a clock that is put right while the relay runs: one line each', async () => {
  const database = await openTestDatabase('sqlite');
  await makeAccount(database);
  const log = quietLog();
  const clock = new ClockWatch(database, log, null);
  expect(await clock.isBelieved(todayMs)).toBe(false);
  expect(await clock.isBelieved(todayMs + 60_000)).toBe(false);
  expect(await clock.isBelieved(1)).toBe(true);
  expect(log.codes).toEqual(['clock-far-ahead', 'clock-believed']);
});

test.each([
  { name: 'six days off', seen: 0, ahead: null, now: 6, believed: true },
  { name: 'eight days off', seen: 0, ahead: null, now: 8, believed: false },
  { name: 'the same clock two days later', seen: 0, ahead: 100, now: 102, believed: false },
  { name: 'the same clock three days later', seen: 0, ahead: 100, now: 103, believed: true },
  { name: 'another wrong clock', seen: 0, ahead: 100, now: 300, believed: false },
  { name: 'a wrong clock that was set back to another', seen: 0, ahead: 100, now: 50, believed: false },
  { name: 'a clock that was put right', seen: 0, ahead: 100, now: 1, believed: true },
  { name: 'a clock that was set back', seen: 10, ahead: null, now: 5, believed: true },
  { name: 'a clock that is far behind', seen: 200, ahead: null, now: 50, believed: false },
  { name: 'the same clock behind two days later', seen: 200, ahead: 50, now: 52, believed: false },
  { name: 'the same clock behind three days later', seen: 200, ahead: 50, now: 53, believed: true },
])('judge: $name is believed: $believed', ({ ahead, believed, now, seen }) => {
  const mark = judge({ seenAtMs: seen * day, strangeSinceMs: ahead === null ? null : ahead * day }, now * day);
  expect(mark.strangeSinceMs === null).toBe(believed);
  expect(mark.seenAtMs).toBe(believed ? now * day : seen * day);
});
