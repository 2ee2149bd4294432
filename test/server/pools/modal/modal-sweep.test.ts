import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { ClockWatch } from '../../../../server/storage/clock-watch.ts';
import { ModalSessionRows } from '../../../../server/pools/modal/modal-session-rows.ts';
import { ModalSweep } from '../../../../server/pools/modal/modal-sweep.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';
import { day, makeSignedInAccount } from '../../../parts/users/without-keys/vault-device.ts';

const todayMs = Date.UTC(2026, 10, 30, 12);
const idleMs = 300_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: todayMs }));
afterEach(() => void vi.useRealTimers());

/** A session that serves an account since today, and what a sweep with this clock ends of it. */
async function sweepAt(nowMs: number): Promise<{ readonly ended: string[]; readonly id: string }> {
  const database = await openTestDatabase('sqlite');
  const { accountId } = await makeSignedInAccount(database);
  const rows = new ModalSessionRows(database.db, { url: 'https://a--b.modal.direct/', proxyToken: 'wk-a.ws-b' });
  const row = await rows.claimNew({ accountId, model: 'default' }, todayMs);
  if (row === null) throw new Error('Nobody else is there.');
  await rows.finishStart(row.id, 'a-session-token', todayMs);
  const clock = new ClockWatch(database, quietLog(), null);
  await clock.isBelieved(todayMs);
  const ended: string[] = [];
  let rounds = 0;
  const log = quietLog();
  const findDeserted = rows.findDeserted.bind(rows);
  vi.spyOn(rows, 'findDeserted').mockImplementation(async (atMs) => {
    rounds += 1;
    return findDeserted(atMs);
  });
  const end = async ({ id }: { readonly id: string }) => void ended.push(id);
  const sweep = new ModalSweep({ rows, log, clock, everyMs: 10, idleMs, enclaves: new Map(), end });
  onTestFinished(() => sweep.close());
  vi.setSystemTime(nowMs);
  sweep.start();
  await until(() => rounds > 1);
  expect(log.codes).toEqual([]);
  return { ended, id: row.id };
}

test('a clock that jumps 150 days ahead ends no container, neither as idle nor as one of somebody who is signed out', async () => {
  expect((await sweepAt(todayMs + 150 * day)).ended).toEqual([]);
});

test('a container that was idle for its time is ended', async () => {
  const { ended, id } = await sweepAt(todayMs + idleMs + 61_000);
  expect(ended).toContain(id);
});
