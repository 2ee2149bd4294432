import { openDatabase } from '../../../server/storage/open-database.ts';
import type { TurnStart } from '../../../crypto/messages/turn-messages.ts';
import { createLog } from '../../../server/log.ts';
import { noCollateral } from '../../parts/no-collateral.ts';
import { StaticPool } from '../../../server/pools/static-pool.ts';
import { LocalChangeFeed } from '../../../server/turns/change-feed.ts';
import { PostgresChangeFeed } from '../../../server/turns/postgres-change-feed.ts';
import { startTurn } from '../../../server/turns/start-turn.ts';
import { TurnService } from '../../../server/turns/turn-service.ts';

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
  database,
  pool: new StaticPool([{ ...worker, unreachable: 'enclave-unreachable' }]),
  collateral: noCollateral,
  feed: openClient === null ? new LocalChangeFeed() : new PostgresChangeFeed(db, openClient, log),
  log,
  quotaBytes: 1e9,
});
await service.start();
process.on('message', (message: { accountId: string; start: TurnStart }) => {
  startTurn(service, message.accountId, message.start).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
// Nobody asks for a process whose test is gone.
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
