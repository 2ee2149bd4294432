import { createLog } from '../../../../process/event-log.ts';
import { ModalPool, type ModalTiming } from '../../../../server/pools/modal/modal-pool.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { LocalChangeFeed } from '../../../../server/live/change-feed.ts';
import { PostgresChangeFeed } from '../../../../server/live/postgres-change-feed.ts';
import { TurnService } from '../../../../server/turns/turn-service.ts';
import type { ModalFrontDoor } from '../../worker/modal/modal-front-door.ts';
import { noCollateral } from './no-collateral.ts';
import { CapturedOutput } from '../../machine/captured-output.ts';
import { rightClock } from '../../machine/clocks/right-clock.ts';

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
  const dependencies = { database, clock: rightClock, pool, collateral: noCollateral, feed, log };
  const service = new TurnService({ ...dependencies, quotaBytes: 1e9 });
  await service.start();
  return { service, pool, logged: () => output.text };
}
