import { openDatabase } from '../../../../server/storage/open-database.ts';
import { sql } from 'kysely';
import type { TurnAttempt, TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { createLog } from '../../../../process/event-log.ts';
import { noCollateral } from '../../../parts/relay/in-process/no-collateral.ts';
import { StaticPool } from '../../../../server/pools/static/static-pool.ts';
import { LocalChangeFeed } from '../../../../server/live/change-feed.ts';
import { PostgresChangeFeed } from '../../../../server/live/postgres-change-feed.ts';
import { attemptTurn, startTurn } from '../../../../server/turns/start-turn.ts';
import { TurnService } from '../../../../server/turns/turn-service.ts';
import { rightClock } from '../../../parts/machine/clocks/right-clock.ts';

/*
 * The turns of a relay as a process of its own, so that a test can kill it: settings as JSON in argv[2], turns to start
 * as messages.
 */

type Settings = Parameters<typeof openDatabase>[0] & {
  readonly worker: { readonly url: string; readonly token: string };
};

const { worker, ...place } = JSON.parse(process.argv[2] ?? '') as Settings;
const database = await openDatabase(place);
const log = createLog('error', process.stderr);
const { db, openClient } = database;
const service = new TurnService({
  clock: rightClock,
  database,
  pool: new StaticPool([{ ...worker, unreachable: 'enclave-unreachable' }]),
  collateral: noCollateral,
  feed: openClient === null ? new LocalChangeFeed() : new PostgresChangeFeed(db, openClient, log),
  log,
  quotaBytes: 1e9,
});
await service.start();
type Order = {
  readonly id?: number;
  readonly accountId: string;
  readonly start?: TurnStart;
  /** Another sealed request of a turn that stands. */
  readonly attempt?: { readonly turnId: string; readonly message: TurnAttempt };
  /** Pages that the database may have: a full disk for whoever cannot mount a small one. */
  readonly pages?: number;
};

async function obey({ accountId, attempt, pages, start }: Order): Promise<unknown> {
  if (start !== undefined) return startTurn(service, accountId, start);
  if (attempt !== undefined) return attemptTurn(service, accountId, fromBase64Url(attempt.turnId), attempt.message);
  await sql`pragma max_page_count = ${sql.lit(pages ?? 0)}`.execute(db);
  return null;
}

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ id: order.id, answer }),
    (error: unknown) => process.send?.({ id: order.id, error: String(error) }),
  );
});
// An ordered stop.
process.on('SIGTERM', () => {
  void service
    .close()
    .then(() => database.close())
    .then(() => process.exit(0));
});
// Nobody asks for a process whose test is gone.
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
