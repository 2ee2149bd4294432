import { randomBytes } from 'node:crypto';
import { createLog } from '../../../process/event-log.ts';
import { ModalPool, type ModalTiming } from '../../../server/pools/modal/modal-pool.ts';
import type { Database } from '../../../server/storage/tables/database.ts';
import { LocalChangeFeed } from '../../../server/live/change-feed.ts';
import { PostgresChangeFeed } from '../../../server/live/postgres-change-feed.ts';
import { TurnService } from '../../../server/turns/turn-service.ts';
import type { ModalFrontDoor } from '../worker/modal-front-door.ts';
import { noCollateral } from './no-collateral.ts';
import { CapturedOutput } from '../machine/captured-output.ts';
import { makeAccount, type VaultDevice } from '../users/vault-device.ts';
import { rightClock } from '../machine/right-clock.ts';

/** The turns of one relay replica before a front door, and all that it logged. */
export type ModalRelay = { readonly service: TurnService; readonly pool: ModalPool; logged(): string };

const quickTiming: Partial<ModalTiming> = {
  streamIdleMs: 400,
  sweepMs: 200,
  retries: { attempts: 5, firstDelayMs: 50, attemptMs: 65_000, totalMs: 200_000 },
};

export async function startModalRelay(
  database: Database,
  door: ModalFrontDoor,
  more: { readonly timing?: Partial<ModalTiming>; readonly proxyToken?: string } = {},
): Promise<ModalRelay> {
  const output = new CapturedOutput();
  const log = createLog('debug', output);
  const pool = new ModalPool({
    url: door.url,
    proxyToken: more.proxyToken ?? door.proxyToken,
    enclaveToken: door.enclaveToken,
    database,
    log,
    clock: rightClock,
    timing: { ...quickTiming, ...more.timing },
  });
  const { db, openClient } = database;
  const feed = openClient === null ? new LocalChangeFeed() : new PostgresChangeFeed(db, openClient, log);
  const parts = { database, clock: rightClock, pool, collateral: noCollateral, feed, log };
  const service = new TurnService({ ...parts, quotaBytes: 1e9 });
  await service.start();
  return { service, pool, logged: () => output.text };
}

/** An account that is signed in on one device. */
export async function makeSignedInAccount(database: Database): Promise<VaultDevice> {
  const device = await makeAccount(database);
  const nowMs = Date.now();
  await database.db
    .insertInto('sessions')
    .values({
      id: new Uint8Array(randomBytes(16)),
      account_id: device.accountId,
      token_seed: new Uint8Array(randomBytes(32)),
      generation: 1,
      rotated_at: nowMs,
      created_at: nowMs,
      refreshed_at: nowMs,
      expires_at: nowMs + 3_600_000,
    })
    .execute();
  return device;
}

export async function signOutEverywhere(database: Database, accountId: string): Promise<void> {
  await database.db.deleteFrom('sessions').where('account_id', '=', accountId).execute();
}
